import type { Checkpoint } from './checkpoint.ts'
import type { Restoration } from './epoch.ts'
import type { RunningRoot } from './running-root.ts'
import type { Verdict } from './verify.ts'

/** Holds a checkpoint that the reader knew before against the entries, as they are read. */
export type KnownCheck = {
  /** After every entry. */
  grown(tree: RunningRoot): Verdict | undefined
  /** At the entry that begins a new epoch, before it is counted. */
  restored(restoration: Restoration, size: number): Verdict | undefined
  end(size: number): Verdict | undefined
}

/** `origin` is that of the file; the known checkpoint may be of an earlier epoch of the same log. */
export function createKnownCheck(known: Checkpoint | undefined, origin: string): KnownCheck {
  if (!known) return { grown: () => undefined, restored: () => undefined, end: () => undefined }
  let comparable = known.origin === origin
  let holds = true
  const differs: Verdict = {
    kind: 'tampered',
    what: `The first ${known.size} entries are not those of the known checkpoint.`,
  }
  return {
    grown(tree) {
      if (tree.size() !== known.size) return undefined
      holds = tree.root().equals(known.root)
      return comparable && !holds ? differs : undefined
    },
    restored(restoration, size) {
      if (restoration.origin !== known.origin) return undefined
      comparable = true
      if (known.size <= size) return holds ? undefined : differs
      const what = `${known.origin} had ${known.size} entries already; it was restored with ${size}.`
      return { kind: 'truncated', what, entries: size }
    },
    end(size) {
      if (!comparable) {
        return { kind: 'unverifiable', why: `The file does not say how ${known.origin} was restored.` }
      }
      if (known.size <= size) return undefined
      const what = `The file has ${size} entries; the log had ${known.size} already.`
      return { kind: 'truncated', what, entries: size }
    },
  }
}
