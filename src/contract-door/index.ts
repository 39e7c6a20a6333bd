export {
  type Contract,
  type ContractProblem,
  type Environment,
  type ParsedContract,
  parseContract,
  requireContract,
} from '../contract/index.ts'
export { type Checked, type Finding, type FindingCode, findingCodes } from '../guard/index.ts'
export {
  type AdapterRequest,
  type CheckedRequest,
  checkAdapterRequest,
  checkAdapterRequestText,
  type RequestProblem,
} from '../references/index.ts'
export { type Enforced, type EnforceOptions, enforce, inspect } from './enforce.ts'
