export type { Alert, Alerter } from './alert.ts'
export type { TokenAuthority, VerifiedToken } from './authority.ts'
export type { Caller, Confirmation, Evidence, Identified, Identifier, IdentityRefused } from './identity.ts'
export type { EntryDraft, EntryEvent, EntryReceipt, Ledger, LedgerChange } from './ledger.ts'
export type { PolicyAnswer, PolicyEngine, PolicyQuestion, PolicyReason } from './policy.ts'
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
  Revocation,
} from './provider.ts'
export type { LeasePage, LeaseStore } from './store.ts'
