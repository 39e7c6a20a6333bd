export { type Checkpoint, type OpenedCheckpoint, openCheckpoint, signCheckpoint } from './checkpoint.ts'
export {
  type Cosigner,
  findSignature,
  parseQuorum,
  parseWitnessKey,
  parseWitnessVerifier,
  type Quorum,
  readCosignatures,
  type WitnessQuorum,
} from './cosignature.ts'
export { cutMark, type Entry, encodeEntry, entryBytesMax, parseEntry } from './entry.ts'
export { exportFormat } from './export.ts'
export { type CheckedLog, checkLog, epochAfter, importLog, type NewEpoch } from './import.ts'
export { createLogKey, parseLogKey } from './key.ts'
export { createPrivateFile, syncFolder } from './key-file.ts'
export { type AuditLog, createLog, logLimits } from './log.ts'
export { type LogFile, type LogReader, pageEntriesMax } from './log-reader.ts'
export { emptyFrontier, frontierRoot, leafHash } from './merkle.ts'
export {
  noteLimits,
  noteText,
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
