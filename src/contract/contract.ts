import type { Environment } from './environment.ts'

/** A place in the contract file; line and column count from 1. */
export type Place = { readonly line: number; readonly column: number }

export type Plane = 'machine' | 'human'

/** What a mode is for. Development-only providers cannot be reached in `staging` and `production`. */
export type ModeClass = 'development' | 'test' | 'staging' | 'production'

/** A closed tuple: the mode holds exactly when every discriminator has this value. There is no default mode. */
export type Mode = {
  readonly name: string
  readonly class: ModeClass
  readonly match: Readonly<Record<string, string>>
  /** The ceiling: no credential lives longer in this mode, whatever a grant says. */
  readonly maxDurationSeconds: number
  /** No credential may outlive what was asked by more than this at its provider; absent is no bound. */
  readonly maxResidualSeconds?: number
  readonly place: Place
}

/** Where a value that must not stand in the contract comes from when the broker starts. */
export type ValueSource = { readonly env: string } | { readonly file: string }

/** A configured provider; `config` is parsed by the adapter of that `kind`, not here. */
export type ProviderEntry = {
  readonly name: string
  readonly kind: string
  readonly config: Readonly<Record<string, unknown>>
  readonly place: Place
}

/** What an action means at its provider; `means` is parsed by the provider's adapter. */
export type Action = {
  readonly name: string
  readonly title?: string
  /** How a resource is written, with parts: `{bucket}` is one segment without a slash, `{key+}` may hold slashes. */
  readonly resource: string
  readonly means: Readonly<Record<string, unknown>>
  readonly place: Place
}

export type Service = {
  readonly name: string
  readonly provider: string
  readonly actions: ReadonlyMap<string, Action>
  readonly place: Place
}

export type Tenant = { readonly name: string; readonly place: Place }

/** A token issuer that the broker trusts, for one plane alone (OpenID Connect Discovery 1.0; RFC 7517 for the keys). */
export type Issuer = {
  readonly name: string
  readonly plane: Plane
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly string[]
  /** Absent: found through `<issuer>/.well-known/openid-configuration`. */
  readonly jwksUri?: string
  /** A PEM file that holds the CA of the issuer's own TLS certificate; absent is the system's store. */
  readonly caFile?: string
  readonly clockSkewSeconds: number
  /** The oldest `iat` that is accepted, in seconds. */
  readonly maxAgeSeconds: number
  readonly place: Place
}

/** One proof of an identity. `claims` are all required, each by exact equality of strings. */
export type Proof =
  | { readonly kind: 'spiffe'; readonly id: string }
  | { readonly kind: 'certificate'; readonly sha256: string }
  | { readonly kind: 'token'; readonly issuer: string; readonly claims: Readonly<Record<string, string>> }
  | { readonly kind: 'machine-key'; readonly sha256: string }

/** `operator` revokes within its tenant; `auditor` reads the log; `platform` does both for every tenant. */
export type Role = 'operator' | 'auditor' | 'platform'

/** Who calls: which tenant, which agent, on which plane, and what proves it. */
export type IdentityEntry = {
  readonly agent: string
  readonly tenant: string
  readonly plane: Plane
  readonly proofs: readonly Proof[]
  readonly roles: readonly Role[]
  readonly place: Place
}

/** Who may do what. Every list is closed; an empty or absent one grants nothing. */
export type Grant = {
  readonly id: string
  readonly tenant: string
  /** Agents by name, or exactly `*` for every agent of the tenant. */
  readonly agents: readonly string[]
  readonly service: string
  readonly actions: readonly string[]
  /** Patterns: `*` within one segment, `**` across segments; no other wildcard. */
  readonly resources: readonly string[]
  readonly modes: readonly string[]
  readonly planes: readonly Plane[]
  readonly maxDurationSeconds: number
  readonly place: Place
}

/** Where alerts go. */
export type AlertTarget =
  | { readonly kind: 'alertmanager'; readonly url: string; readonly place: Place }
  | { readonly kind: 'webhook'; readonly url: string; readonly place: Place }

export type Contract = {
  readonly name: string
  /** The path as it was given, for messages. */
  readonly file: string
  /** `sha256:` and the hexadecimal SHA-256 of the file's bytes; it stands in every entry of the log. */
  readonly digest: string
  readonly discriminators: readonly string[]
  readonly modes: ReadonlyMap<string, Mode>
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly issuers: ReadonlyMap<string, Issuer>
  /** The request header that carries a machine key, such as `X-AOS-Key`. */
  readonly machineKeyHeader: string
  readonly identities: ReadonlyMap<string, IdentityEntry>
  readonly providers: ReadonlyMap<string, ProviderEntry>
  readonly services: ReadonlyMap<string, Service>
  readonly grants: readonly Grant[]
  readonly alerts: readonly AlertTarget[]
  /** What a program's environment must be, where the contract says that; the broker's own part is then optional, and empty without. */
  readonly environment?: Environment
  /** Seconds of life when a request names none (seed 004: 15 minutes). */
  readonly defaultDurationSeconds: number
  /** The place of a path of keys such as `['providers', 'orders', 'config', 'url']`, or of its nearest parent. */
  readonly placeOf: (path: readonly (string | number)[]) => Place
}

/** One thing wrong in a contract, with its place and the one change that would mend it. */
export type ContractProblem = { readonly message: string; readonly place: Place; readonly next?: string }
