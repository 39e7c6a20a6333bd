export {
  type CheckOptions,
  check,
  confirmationsOf,
  digestVariable,
  staleFinding,
  type Variables,
} from './check.ts'
export { type Checked, type Finding, type FindingCode, findingCodes, seenWords } from './finding.ts'
export { formatReport, type Origins, type ReportOptions } from './format.ts'
export { type Guard, type GuardedContract, guardedContract, guardOf, isGuard, scopeOf } from './guard.ts'
export { findingSentence, reportData, reportGithub } from './machine-formats.ts'
export {
  type GuardRules,
  type MigrationRule,
  migrateScope,
  type ProhibitionRule,
  unknownMode,
  type ValueRule,
  type VariableRule,
} from './rules.ts'
