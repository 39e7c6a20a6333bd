import { Failure } from '../primitives/index.ts'
import type { Caller } from './ports/index.ts'
import type { BrokerWorld } from './world.ts'

/** A copy of the store that is ready to be handed out, and what the log says of it. */
export type StoreCopy = {
  readonly bytes: number
  /** Of the whole copy, hexadecimal. */
  readonly sha256: string
  /** Gives it up; after it was read, or instead. */
  readonly discard: () => Promise<void>
}

export type BackUpCommand<Copy extends StoreCopy> = {
  readonly caller: Caller
  readonly requestId: string
  readonly take: () => Promise<Copy>
}

/**
 * Takes a copy of the store for somebody with the role platform. That it leaves, and its digest, stand in the log before it does. Throws
 * `not_permitted`, which is an entry too.
 */
export async function backUp<Copy extends StoreCopy>(
  world: BrokerWorld,
  { caller, requestId, take }: BackUpCommand<Copy>,
): Promise<Copy> {
  const about = { caller, requestId, scope: 'backup of the store' }
  if (!caller.roles.includes('platform')) {
    const denied = { ...about, decision: 'deny', rule: 'not_permitted', outcome: 'denied' } as const
    await world.ledger.record({ entry: world.entries.about('request_denied', denied) })
    throw new Failure('not_permitted', 'Only an identity with the role platform may take a backup.')
  }
  const copy = await take()
  const detail = { bytes: copy.bytes, sha256: copy.sha256 }
  const taken = { ...about, decision: 'allow', rule: 'role:platform', outcome: 'taken', detail } as const
  try {
    await world.ledger.record({ entry: world.entries.about('backup_taken', taken) })
  } catch (thrown) {
    await copy.discard()
    throw thrown
  }
  return copy
}
