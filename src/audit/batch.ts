import type { EntryDraft, EntryReceipt, Lease } from '../broker/index.ts'
import { signCheckpoint } from './checkpoint.ts'
import { encodeEntry } from './entry.ts'
import { frontierRoot, leafHash } from './merkle.ts'
import type { Signer } from './note.ts'
import type { LogBatch } from './storage.ts'
import { growTree, type Tree } from './tree.ts'

/** A batch that is ready to be committed, what the tree is after it, and what its callers get then. */
export type ComposedBatch = {
  readonly batch: LogBatch
  readonly tree: Tree
  readonly receipts: readonly EntryReceipt[]
}

/** Gives each entry its place after the tree's last, and signs the tree that holds them all. */
export async function composeBatch(
  tree: Tree,
  changes: readonly { readonly entry: EntryDraft; readonly lease?: Lease }[],
  signer: Signer,
): Promise<ComposedBatch> {
  const from = tree.frontier.size
  const entries = changes.map((change, at) => encodeEntry(change.entry, from + at))
  const leaves = entries.map(leafHash)
  const grown = growTree(tree, leaves)
  const root = frontierRoot(grown.tree.frontier)
  const size = grown.tree.frontier.size
  const checkpoint = await signCheckpoint({ origin: signer.name, size, root }, signer)
  return {
    batch: {
      from,
      entries,
      leases: changes.flatMap(({ lease }) => lease ?? []),
      tiles: grown.completed,
      head: { size, checkpoint },
      keepCheckpoint: grown.completed.length > 0,
    },
    tree: grown.tree,
    receipts: leaves.map((leaf, at) => ({ index: from + at, leafHash: leaf.toString('hex'), checkpoint })),
  }
}
