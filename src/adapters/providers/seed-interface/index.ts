export type { CredentialProvider, PluggedAs } from './credential-provider.ts'
export { fromCredentialProvider } from './definition.ts'
