export { applyBaseline, type Baseline, parseBaseline, staleEntry } from './baseline.ts'
export { type EnvironmentSeen, findInEnvironment } from './environment-detector.ts'
export {
  atLeast,
  finding,
  type HygieneCode,
  type HygieneFinding,
  hygieneCodes,
  severities,
  severityLevel,
} from './finding.ts'
export {
  type Fingerprints,
  findReusedValues,
  fingerprintKeyBytesMin,
  formatFingerprints,
  parseFingerprints,
  recordFingerprints,
} from './fingerprint.ts'
export { formatHygiene, hygieneData, hygieneGithub, hygieneSarif } from './report.ts'
export {
  findInSource,
  isScanned,
  lineCharactersMax,
  type SourceFile,
  sourceCharactersMax,
} from './source-detector.ts'
