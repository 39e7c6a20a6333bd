export { type ContractAlerter, createAlerter } from './alerts.ts'
export { type Assembled, type AssembleOptions, assemble, readContract } from './assemble.ts'
export { assetPath } from './assets.ts'
export {
  type Examined,
  examineDisk,
  examineLog,
  examineProviders,
  hasDataFolder,
  openToOthers,
} from './examine.ts'
export {
  type Authority,
  createAuthority,
  createIdentifier,
  createMachineKey,
  type IssuedCertificate,
  machineKeyPattern,
} from './identity.ts'
export { openMigrationDatabase } from './migration.ts'
export { type OpenedPlanes, openPlanes, planeKeyCharacters } from './planes.ts'
export { openPolicy, type PolicyChoice } from './policy.ts'
export {
  type CredentialProvider,
  fromCredentialProvider,
  openProviders,
  type PluggedAs,
  providers,
} from './providers.ts'
export { clockBehindMsMax } from './records.ts'
export { checkBackup, type Restored, type RestoreOptions, restoreBackup } from './restore.ts'
export { systemClock, systemRandom } from './system.ts'
