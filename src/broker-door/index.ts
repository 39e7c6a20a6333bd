export type {
  Capabilities,
  Credential,
  Minted,
  MintedReference,
  MintOrder,
  Probe,
  Provider,
  ProviderDefinition,
  ProviderWorld,
} from '../broker/index.ts'
export { type CredentialProvider, fromCredentialProvider, type PluggedAs } from '../catalog/index.ts'
export { type ListenAt, type RunningBroker, type RunOptions, runBroker } from '../cli/index.ts'
export { Failure, type FailureCode, Secret } from '../primitives/index.ts'
