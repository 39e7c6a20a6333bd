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
 * Takes a copy of the store for somebody with the role platform. That it leaves, and its digest, stand in the log before it does. Throws `not_permitted`.
 */
export async function backUp<Copy extends StoreCopy>(
  world: BrokerWorld,
  { caller, requestId, take }: BackUpCommand<Copy>,
): Promise<Copy> {
  if (!caller.roles.includes('platform'))
    throw new Failure('not_permitted', 'Only an identity with the role platform may take a backup.')
  const copy = await take()
  const entry = world.entries.about('backup_taken', {
    caller,
    requestId,
    scope: 'backup of the store',
    decision: 'allow',
    rule: 'role:platform',
    outcome: 'taken',
    detail: { bytes: copy.bytes, sha256: copy.sha256 },
  })
  try {
    await world.ledger.record({ entry })
  } catch (thrown) {
    await copy.discard()
    throw thrown
  }
  return copy
}
