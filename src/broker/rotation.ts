import { Failure, toFailure } from '../primitives/index.ts'
import { brokerLimits } from './limits.ts'
import type { Caller } from './ports/index.ts'
import { withTimeout } from './retry.ts'
import type { BrokerWorld } from './world.ts'

export type RotateCommand = {
  readonly caller: Caller
  /** The provider's name in the contract, and what of it is to be rotated. */
  readonly provider: string
  readonly target: string
  readonly requestId: string
}

/** Rotates a provider's own secret (seed 004 §7). Resolves to what was rotated, in words. Throws `not_permitted`, `rotation_unsupported`. */
export async function rotate(world: BrokerWorld, command: RotateCommand): Promise<string> {
  const scope = `rotate ${command.provider} ${command.target}`
  const entry = (outcome: string, decision: 'allow' | 'deny') =>
    world.entries.about(decision === 'allow' ? 'secret_rotated' : 'request_denied', {
      caller: command.caller,
      requestId: command.requestId,
      scope,
      decision,
      rule: decision === 'allow' ? 'role:platform' : 'not_permitted',
      provider: command.provider,
      outcome,
    })
  if (!command.caller.roles.includes('platform')) {
    await world.ledger.record({ entry: entry('denied', 'deny') })
    throw new Failure('not_permitted', 'Only an identity with the role platform may rotate.', {
      recorded: true,
    })
  }
  const provider = world.providers.get(command.provider)
  if (!provider) throw new Failure('not_found', 'The contract has no provider of that name.')
  // The intent stands in the log before the old secret is touched.
  await world.ledger.record({ entry: entry('intended', 'allow') })
  try {
    const words = await withTimeout(
      world.clock,
      brokerLimits.endAttemptMs,
      new AbortController().signal,
      (signal) => provider.rotate(command.target, signal),
    )
    await world.ledger.record({ entry: entry('rotated', 'allow') })
    return words
  } catch (thrown) {
    const failure = toFailure(thrown)
    await world.ledger.record({ entry: entry(failure.code, 'allow') })
    throw failure
  }
}
