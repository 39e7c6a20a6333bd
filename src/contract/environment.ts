import type { Place } from './contract.ts'

/**
 * What a program's environment must be: the part of a contract that needs no broker (seeds 001 and 003). A contract may have this part,
 * the broker's part, or both. Nothing here is a value of a secret: a contract is safe to publish.
 */
export type Environment = {
  /** What the contract says of itself, for people. */
  readonly about: About
  /** What a process may be about to do, such as `runtime`, `migrate`, `seed`; exactly one is the default. */
  readonly scopes: ReadonlyMap<string, ProcessScope>
  /** What further is said of a mode, by the mode's name. Every mode of the contract has an entry. */
  readonly modeRules: ReadonlyMap<string, ModeRules>
  readonly planes: ReadonlyMap<string, PlaneRules>
  readonly variables: ReadonlyMap<string, Variable>
  readonly secretPaths: ReadonlyMap<string, SecretPath>
  readonly gates: ReadonlyMap<string, Gate>
  readonly prohibitions: ReadonlyMap<string, Prohibition>
  readonly migrations?: MigrationRules
  readonly references?: ReferenceRules
  /** Adapters whose requests are checked, such as `billing-ingest` (seed 001 §6), by name. */
  readonly requestAdapters: ReadonlyMap<string, RequestAdapter>
  readonly files: ReadonlyMap<string, FileRule>
  readonly rotations: ReadonlyMap<string, RotationWindow>
  /** Where secrets may come from, where they never are, and what follows when one is (seed 001 §4, §5). */
  readonly secretRules?: SecretRules
  readonly agents?: AgentRules
  /** Commands that prove the contract, such as `npm run validate`. */
  readonly validation: readonly string[]
}

export type About = {
  /** Who answers for the rules that name no owner; absent, those who answer for the discriminators. */
  readonly owner?: string
  readonly status?: string
  /** A date, `YYYY-MM-DD`. */
  readonly effective?: string
  readonly purpose?: string
  /** Who must follow it. */
  readonly appliesTo: readonly string[]
  /** The tasks that it serves. */
  readonly tracks: readonly string[]
  /** The mode in which the code base runs today: a word for people, never a default. */
  readonly current?: string
}

export type ProcessScope = {
  readonly name: string
  readonly isDefault: boolean
  /** The plane that this scope is bound to, such as `database`. */
  readonly plane?: string
  /** Command patterns that belong to it, such as `alembic upgrade *`. */
  readonly commands: readonly string[]
  readonly place: Place
}

/** `forbidden` never · `opt-in` only where its variable says so · `allowed` · `optional` · `required` always. */
export type Permission = 'forbidden' | 'opt-in' | 'allowed' | 'optional' | 'required'

export type ModeRules = {
  readonly mode: string
  readonly purpose?: string
  /** By plane: human, machine, sandbox …; where another mode's rules are inherited they stand here in full. */
  readonly auth: ReadonlyMap<string, Permission>
  readonly effects: { readonly billable?: boolean; readonly logged?: boolean; readonly audited?: boolean }
  /** Such as `disposable`, `test`, `staging`, `production`. */
  readonly dataClass?: string
  readonly productionData: 'allowed' | 'forbidden'
  /** No bypasses, no stubs, no fakes. */
  readonly strict: boolean
  /** What else holds in it, in sentences for people and agents. */
  readonly notes: readonly string[]
  readonly place: Place
}

/** OpenAPI 3.1 security scheme vocabulary; `connectionString` is our own, for a database. */
export type Scheme =
  | {
      readonly type: 'http'
      readonly scheme: 'bearer'
      readonly bearerFormat?: string
      readonly issuer?: string
    }
  | { readonly type: 'apiKey'; readonly in: 'header'; readonly name: string }
  | { readonly type: 'connectionString'; readonly variable: string }

export type PlaneRules = {
  readonly name: string
  readonly scheme: Scheme
  /** Globs of paths: `*` one segment or the rest when it stands last, as the seeds write them. */
  readonly endpoints: readonly string[]
  readonly tags: readonly string[]
  readonly purpose?: string
  /** Planes whose valid credentials are refused here. */
  readonly rejects: readonly string[]
  /** Planes on whose endpoints its credential is taken as well, where the mode permits: the sandbox stands in for `human`. */
  readonly standsInFor: readonly string[]
  /** The variable that says which server it is on, such as `DB_AUTHORITY`; it decides nothing. */
  readonly controlledBy?: string
  /** Who uses it besides, such as `sdk`, and the sentences that hold for them. */
  readonly clients: ReadonlyMap<string, readonly string[]>
  /** The variable that must be `true` for this plane to be there at all. */
  readonly enabledBy?: string
  /** Process scopes that it is for, and what they must not use, such as `http`. */
  readonly scopes: readonly string[]
  readonly forbids: readonly string[]
  /** How it is tested, and never: sentences for people and agents. */
  readonly testing: { readonly methods: readonly TestMethod[]; readonly never: readonly string[] }
  readonly place: Place
}

export type TestMethod = { readonly method: string; readonly environment: string; readonly how: string }

export type VariableType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'port'
  | 'uri'
  | 'duration'
  | 'list'
  | 'json'

export type Variable = {
  readonly name: string
  readonly group: string
  readonly owner: string
  readonly type: VariableType
  readonly description?: string
  readonly constraints: {
    readonly enum?: readonly string[]
    readonly pattern?: string
    readonly minimum?: number
    readonly maximum?: number
    readonly schemes?: readonly string[]
  }
  /** The one value that it must have, by mode. */
  readonly constByMode: ReadonlyMap<string, string>
  readonly required: Requirement
  readonly sensitive: boolean
  /** Where the secret lives; the first is the one that wins. `unspecified` when the seed names a store but no path. */
  readonly secretPaths: readonly string[]
  /** Seen by the launcher alone, never by the program. */
  readonly internal: boolean
  /** A safe placeholder for example files; never for a discriminator. */
  readonly example?: string
  readonly place: Place
}

/** A variable that is not required may be absent. `isRequired` answers for a mode and a scope. */
export type Requirement =
  | { readonly kind: 'always' }
  | { readonly kind: 'optional' }
  | RequiredWhen
  /** Where one of them holds: `DATABASE_URL` in some modes whatever the scope, and in some scopes whatever the mode. */
  | { readonly kind: 'any'; readonly of: readonly RequiredWhen[] }

/** In these modes and, where both lists stand, in these scopes of them; an absent list is "any". */
export type RequiredWhen = {
  readonly kind: 'when'
  readonly modes?: readonly string[]
  readonly scopes?: readonly string[]
}

/** Whether a variable must be there when a process of this scope starts in this mode. */
export function isRequired(requirement: Requirement, at: { mode: string; scope: string }): boolean {
  switch (requirement.kind) {
    case 'always':
      return true
    case 'optional':
      return false
    case 'when': {
      const { modes, scopes } = requirement
      return (modes?.includes(at.mode) ?? true) && (scopes?.includes(at.scope) ?? true)
    }
    case 'any':
      return requirement.of.some((one) => isRequired(one, at))
  }
}

export type SecretPath = {
  readonly path: string
  readonly store: string
  readonly keys: readonly string[]
  readonly owners: readonly string[]
  readonly place: Place
}

/** A feature that some modes lack, and what it answers there (seed 003 §11). */
export type Gate = {
  readonly id: string
  readonly reason: string
  readonly modes: readonly string[]
  readonly otherwise: { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  /** Path to what it is for. */
  readonly endpoints: ReadonlyMap<string, string>
  readonly reference?: string
  readonly place: Place
}

export type Severity =
  | 'security-bug'
  | 'architecture-violation'
  | 'critical-violation'
  | 'high'
  | 'medium'
  | 'low'

/** A thing forbidden everywhere, and how it is detected; each detector that matches gives a finding. */
export type Prohibition = {
  readonly id: string
  readonly reason: string
  readonly severity: Severity
  readonly detectors: readonly Detector[]
  readonly place: Place
}

export type Detector =
  /** One of these variables is `true` (or set at all, with `present`). */
  | {
      readonly kind: 'environment'
      readonly variables: readonly string[]
      readonly when: 'truthy' | 'present'
    }
  /** This regular expression matches a line of a source file. */
  | { readonly kind: 'source'; readonly pattern: string; readonly files?: readonly string[] }
  /** The value of this variable in one mode is seen in another one; compared by keyed fingerprints. */
  | {
      readonly kind: 'same-value'
      readonly variable: string
      readonly of: string
      readonly in: readonly string[]
    }
  /** A valid credential of one plane is accepted on another one. */
  | { readonly kind: 'probe'; readonly plane: string; readonly with: string }
  /** A process of this scope does one of these things, such as `http`. */
  | { readonly kind: 'process'; readonly scope: string; readonly forbids: readonly string[] }

export type MigrationRules = {
  /** The variable that decides, `DB_ROLE`; `informational` ones never do. */
  readonly roleVariable: string
  readonly informational: readonly string[]
  readonly roles: ReadonlyMap<string, DatabaseRole>
  readonly roleByMode: ReadonlyMap<string, string>
  /** What an empty database needs first, in words, with where it is written. */
  readonly bootstrap?: {
    readonly id: string
    readonly tables: readonly string[]
    readonly require: string
    readonly see?: string
  }
  readonly place: Place
}

export type DatabaseRole = {
  readonly name: string
  readonly migrate: 'allow' | 'confirm' | 'deny'
  /** Variable and value that confirm. */
  readonly confirm?: { readonly variable: string; readonly value: string }
  readonly meaning?: string
  readonly place: Place
}

/** `cred://…`, opaque, never a secret (seed 001 §3). */
export type ReferenceRules = {
  readonly field: string
  readonly pattern: string
  readonly requiredModes: readonly string[]
  readonly examples: readonly string[]
  /** What a reference stands for: service, action and resource of the broker's part. */
  readonly resolves: ReadonlyMap<
    string,
    { readonly service: string; readonly action: string; readonly resource: string }
  >
  readonly place: Place
}

export type RequestAdapter = {
  readonly name: string
  readonly authModes: readonly string[]
  readonly defaultAuthMode: string
  readonly place: Place
}

export type FileRule = {
  readonly path: string
  readonly role: 'example' | 'loader' | 'client' | 'document'
  /** For an example: `all`, or the modes whose names it must hold. */
  readonly covers: 'all' | readonly string[]
  readonly purpose?: string
  readonly place: Place
}

export type RotationWindow = {
  readonly name: string
  readonly secrets: readonly string[]
  readonly everySeconds: number
  readonly owner: string
  readonly place: Place
}

export type SecretRules = {
  /** How a real secret reaches a process, such as `runtime-environment`. */
  readonly inject: readonly string[]
  /** Such as `git-history`, `fixtures`, `logs`. */
  readonly neverIn: readonly string[]
  /** Severities of a secret scan that block a release. */
  readonly releaseBlocking: readonly string[]
  /** What a leak leads to, such as `incident-response`. */
  readonly onLeak: string
  readonly place: Place
}

export type AgentRules = {
  readonly must: readonly string[]
  readonly mustNot: readonly string[]
  readonly onViolation: string
  /** Sentences to memorize. */
  readonly remember: readonly string[]
  /** What is asked often, and its answer. */
  readonly answers: ReadonlyMap<string, string>
  readonly place: Place
}
