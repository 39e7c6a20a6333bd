export { type Checkpoint, type OpenedCheckpoint, openCheckpoint, signCheckpoint } from './checkpoint.ts'
export { cutMark, type Entry, encodeEntry, entryBytesMax, parseEntry } from './entry.ts'
export { exportFormat } from './export.ts'
export { createLogKey, parseLogKey } from './key.ts'
export { type AuditLog, createLog, logLimits } from './log.ts'
export { type LogFile, type LogReader, pageEntriesMax } from './log-reader.ts'
export { leafHash } from './merkle.ts'
export {
  noteLimits,
  type OpenedNote,
  openNote,
  parseVerifier,
  type Signer,
  signNote,
  type Verifier,
} from './note.ts'
export { verifyConsistency, verifyInclusion } from './proof.ts'
export type { LeaseStanding, LogBatch, LogHead, LogStorage } from './storage.ts'
export { formatBundle, formatLogPath, parseBundle, parseLogPath, type Tile, tileWidth } from './tiles.ts'
export { type Verdict, type VerifyOptions, verifyExport, verifyReceipt } from './verify.ts'
