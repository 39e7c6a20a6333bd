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
export { contractBytesMax } from './document.ts'
export { formatProblems } from './format-problems.ts'
export { type Discriminators, resolveMode } from './mode.ts'
export {
  type ContractSource,
  contractDigest,
  contractInvalid,
  type ParsedContract,
  parseContract,
  requireContract,
} from './parse.ts'
export { type GrantData, type PolicyData, policyData } from './policy-data.ts'
export {
  fillTemplate,
  isPlainResource,
  matchResource,
  patternCovers,
  type ResourceParts,
  templateParts,
} from './resource.ts'
export { algorithms, contractShape } from './shape.ts'
