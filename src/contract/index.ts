export type {
  Action,
  AlertTarget,
  Contract,
  ContractProblem,
  Grant,
  IdentityEntry,
  Issuer,
  Mode,
  ModeClass,
  Place,
  Plane,
  Proof,
  ProviderEntry,
  Role,
  Service,
  Tenant,
  ValueSource,
} from './contract.ts'
export type { Effect, RuleChange, Sides } from './diff/change.ts'
export { diffContracts, unapproved } from './diff/diff.ts'
export { formatDiff } from './diff/format-diff.ts'
export { contractBytesMax } from './document.ts'
export { endpointMatches, endpointStem, endpointsMeet } from './endpoint.ts'
export {
  type About,
  type AgentRules,
  type DatabaseRole,
  type Detector,
  type Environment,
  type FileRule,
  type Gate,
  isRequired,
  type MigrationRules,
  type ModeRules,
  type Permission,
  type PlaneRules,
  type ProcessScope,
  type Prohibition,
  type ReferenceRules,
  type RequestAdapter,
  type RequiredWhen,
  type Requirement,
  type RotationWindow,
  type Scheme,
  type SecretPath,
  type SecretRules,
  type Severity,
  type TestMethod,
  type Variable,
  type VariableType,
} from './environment.ts'
export { formatProblems } from './format-problems.ts'
export { type LintCode, type LintFinding, type LintLevel, lintCodes } from './lint/finding.ts'
export { formatLint } from './lint/format-lint.ts'
export { lintContract } from './lint/lint.ts'
export { type Discriminators, resolveMode } from './mode.ts'
export {
  ContractInvalid,
  type ContractSource,
  contractDigest,
  contractInvalid,
  type ParsedContract,
  parseContract,
  requireContract,
} from './parse.ts'
export { requireBrokerPart, requireEnvironment } from './parts.ts'
export { type GrantData, type PolicyData, policyData } from './policy-data.ts'
export {
  fillTemplate,
  isPlainResource,
  matchResource,
  patternCovers,
  type ResourceParts,
  templateParts,
} from './resource.ts'
export { type SarifLevel, type SarifResult, type SarifRule, sarifLog } from './sarif.ts'
export { algorithms, contractShape } from './shape.ts'
