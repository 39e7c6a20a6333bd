import { diskFailure, diskTroubleOf, Failure } from '../../../primitives/index.ts'

/**
 * What SQLite or the system said of a store: as `diskFailure` has it, as `store_locked`, or as `store_invalid`; everything else as it is.
 * Only what is damaged is to be restored: a store that is whole would lose by it whatever came after the backup.
 */
export function storeFailure(thrown: unknown, path: string): unknown {
  const told = diskFailure(thrown, `the store ${path}`)
  if (told !== thrown || !(thrown instanceof Error && 'errcode' in thrown)) return told
  const detail = { internal: `${path}: ${thrown.message}`, cause: thrown }
  // The lower byte; the higher ones tell the kind.
  if ((Number(thrown.errcode) & 0xff) === sqliteBusy)
    return new Failure('store_locked', 'Another process has the store.', {
      ...detail,
      next: 'stop that process, or use another folder',
    })
  if (diskTroubleOf(thrown)?.kind === 'damaged')
    return new Failure('store_invalid', `The store ${path} is damaged, or is none (${thrown.message}).`, {
      ...detail,
      next: 'restore it from a backup',
    })
  return new Failure('store_invalid', `The store ${path} cannot be opened (${thrown.message}).`, {
    ...detail,
    next: 'mend what stands in brackets, then start again; keep the store as it is until then',
  })
}

const sqliteBusy = 5
