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
export { type Discriminators, resolveMode } from './mode.ts'
export {
  fillTemplate,
  isPlainResource,
  matchResource,
  patternCovers,
  type ResourceParts,
  templateParts,
} from './resource.ts'
