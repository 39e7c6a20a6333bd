import { Failure } from '../primitives/index.ts'
import { composeBatch } from './batch.ts'
import { openCheckpoint } from './checkpoint.ts'
import { frontierRoot } from './merkle.ts'
import { parseVerifier, type Signer } from './note.ts'
import type { LogHead, LogStorage } from './storage.ts'
import { emptyTree, loadTree, type Tree } from './tree.ts'

/** What the log keeps in memory: its tree, and the head that is stored. */
export type OpenLog = { readonly tree: Tree; readonly head: LogHead }

/**
 * Rebuilds the tree from the stored tiles and last entries and holds it against the stored head and its signed checkpoint. An empty
 * storage gets the checkpoint of an empty log. Throws `store_invalid` when they disagree.
 */
export async function openLog(storage: LogStorage, signer: Signer): Promise<OpenLog> {
  const head = await storage.head()
  const beyond = await storage.entries(head?.size ?? 0, 1)
  if (beyond.length > 0) throw refusal('There are entries that no checkpoint covers.')
  if (!head) {
    const { batch, tree } = await composeBatch(emptyTree, [], signer)
    await storage.commit(batch)
    return { tree, head: batch.head }
  }
  const tree = await loadTree(head.size, storage)
  checkHead(head, frontierRoot(tree.frontier), signer)
  return { tree, head }
}

function checkHead(head: LogHead, root: Buffer, signer: Signer): void {
  const opened = openCheckpoint(head.checkpoint, [parseVerifier(signer.vkey)])
  if (opened.kind !== 'opened') throw refusal(`The last checkpoint cannot be trusted. ${opened.why}`)
  const { size, root: signedRoot, origin } = opened.checkpoint
  if (origin !== signer.name) throw refusal('The last checkpoint is of another log.')
  if (size !== head.size) throw refusal('The head and its checkpoint have different sizes.')
  if (!root.equals(signedRoot)) throw refusal('The stored entries are not those that were signed.')
}

function refusal(why: string): Failure {
  return new Failure('store_invalid', `The audit log is damaged or not of this key. ${why}`, {
    next: 'sallyport audit verify, then restore the store and its key from a backup',
  })
}
