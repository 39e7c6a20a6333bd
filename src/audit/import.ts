import type { EntryDraft } from '../broker/index.ts'
import { Failure } from '../primitives/index.ts'
import { composeBatch } from './batch.ts'
import { type Checkpoint, openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { type Entry, parseEntry } from './entry.ts'
import { nextEpoch, readRestoration, restorationDetail } from './epoch.ts'
import { frontierRoot, leafHash } from './merkle.ts'
import { parseVerifier, type Signer } from './note.ts'
import type { LogStorage } from './storage.ts'
import { emptyTree, growTree, type Tree } from './tree.ts'

/** What a storage holds, proven by the checkpoint of its head. */
export type CheckedLog = {
  readonly checkpoint: Checkpoint
  /** The name that its broker plants in what it mints, over all epochs. */
  readonly broker: string
  readonly last: Entry | undefined
  /** The ids of leases that it does not say are over, each with the entry of its credential, or of its intent where there is no other. */
  readonly openLeases: ReadonlyMap<string, Entry>
}

/**
 * Reads all of a log, such as one in a backup: every entry must be under its last checkpoint, and that signed by this key. `visit` is given
 * the entries page by page, before the whole is known to be genuine. Throws `store_invalid`.
 */
export async function checkLog(
  storage: LogStorage,
  vkey: string,
  visit: (from: number, entries: readonly Uint8Array[]) => Promise<Tree | undefined> = async () => undefined,
): Promise<CheckedLog & { readonly note: string; readonly tree: Tree }> {
  const head = await storage.head()
  const opened = openCheckpoint(head?.checkpoint ?? '', [parseVerifier(vkey)])
  if (opened.kind !== 'opened') throw notGenuine(opened.why)
  const { checkpoint } = opened
  let tree = emptyTree
  let broker = vkey.trim().split('+').slice(0, 2).join('.')
  let last: Entry | undefined
  const openLeases = new Map<string, Entry>()
  for (let from = 0; from < checkpoint.size; from = tree.frontier.size) {
    const entries = await storage.entries(from, Math.min(pageEntries, checkpoint.size - from))
    if (entries.length === 0) throw notGenuine('Entries are missing.')
    tree = (await visit(from, entries)) ?? growTree(tree, entries.map(leafHash)).tree
    for (const entry of entries.map(parseEntry)) {
      last = entry
      if (!entry) continue
      broker = readRestoration(entry)?.broker ?? broker
      followLease(entry, openLeases)
    }
  }
  if (!frontierRoot(tree.frontier).equals(checkpoint.root))
    throw notGenuine('Its entries are not those that were signed.')
  return { checkpoint, broker, last, openLeases, note: head?.checkpoint ?? '', tree }
}

function followLease(entry: Entry, openLeases: Map<string, Entry>): void {
  const { event, lease_id: id } = entry
  if (id === null) return
  if (event === 'credential_intended' || event === 'credential_issued') openLeases.set(id, entry)
  if (event === 'lease_ended' || event === 'credential_failed') openLeases.delete(id)
}

/** Entries that are read and written at once. */
const pageEntries = 1_000

/** How the log goes on after a restoration. */
export type NewEpoch = {
  /** The epoch's key, whose name is that of the new epoch. */
  readonly signer: Signer
  readonly requestId: string
  /** RFC 3339. */
  readonly timestamp: string
}

/**
 * Writes the log of a backup into an empty storage and begins the next epoch there: its first entry is `log_restored`, with the size, root
 * and signed checkpoint of the backup. Nothing is taken over but bytes whose hashes are under that checkpoint. Throws `store_invalid` when the backup
 * is not genuine; what was written then must be thrown away.
 */
export async function importLog(options: {
  readonly from: LogStorage
  /** The key of the epoch that the backup is of. */
  readonly vkey: string
  readonly into: LogStorage
  readonly epoch: NewEpoch
}): Promise<CheckedLog> {
  const { from, vkey, into, epoch } = options
  let tree = emptyTree
  const write = async (size: number, entries: readonly Uint8Array[]) => {
    const grown = growTree(tree, entries.map(leafHash))
    tree = grown.tree
    // Never published: the head is written again with the entry that begins the epoch.
    const checkpoint = await headOf(tree, epoch.signer)
    const head = { size: tree.frontier.size, checkpoint }
    await into.commit({
      from: size,
      entries,
      leases: [],
      tiles: grown.completed,
      head,
      keepCheckpoint: false,
    })
    return tree
  }
  const checked = await checkLog(from, vkey, write)
  const { batch } = await composeBatch(checked.tree, [{ entry: restoredEntry(checked, epoch) }], epoch.signer)
  await into.commit({ ...batch, keepCheckpoint: true })
  return checked
}

/** The name of the epoch that follows the one of this key. `number`: at least this one. */
export function epochAfter(vkey: string, number?: number): string {
  return nextEpoch(parseVerifier(vkey).name, number)
}

function headOf(tree: Tree, signer: Signer): Promise<string> {
  return signCheckpoint(
    { origin: signer.name, size: tree.frontier.size, root: frontierRoot(tree.frontier) },
    signer,
  )
}

function restoredEntry(
  { checkpoint, broker, last, note }: Awaited<ReturnType<typeof checkLog>>,
  { signer, requestId, timestamp }: NewEpoch,
): EntryDraft {
  const { origin, size } = checkpoint
  const root = Buffer.from(checkpoint.root).toString('hex')
  return {
    event: 'log_restored',
    timestamp,
    agent_id: 'broker',
    tenant: '',
    plane: 'broker',
    // Who restores need not have the contract at hand: what stood last goes on standing.
    mode: last?.mode ?? '',
    contract: last?.contract ?? '',
    scope: `restore ${origin}`,
    expiry: null,
    request_id: requestId,
    decision: null,
    rule: null,
    lease_id: null,
    provider: null,
    outcome: 'epoch_begun',
    detail: restorationDetail({ epoch: signer.name, origin, size, root, checkpoint: note, broker }),
  }
}

function notGenuine(why: string): Failure {
  return new Failure('store_invalid', `The log is not what the pinned key signed. ${why}`, {
    next: 'give the public key of the log that the backup was taken of, or another backup',
  })
}
