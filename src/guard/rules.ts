/**
 * What a guard checks, as plain data: every emitter and the interpreter read this and nothing else of the contract. Nothing here is a
 * value of a secret.
 */
export type GuardRules = {
  readonly name: string
  /** The file's own name, without its folders: a guard looks for it beside itself. */
  readonly file: string
  /** `sha256:` and 64 hexadecimal characters; a guard whose contract has another one is stale. */
  readonly digest: string
  readonly discriminators: readonly string[]
  readonly modes: readonly ModeRule[]
  readonly scopes: readonly ScopeRule[]
  readonly defaultScope: string
  readonly variables: readonly VariableRule[]
  readonly prohibitions: readonly ProhibitionRule[]
  readonly migration?: MigrationRule
}

export type ModeRule = {
  readonly name: string
  readonly match: Readonly<Record<string, string>>
  readonly line: number
}

export type ScopeRule = { readonly name: string; readonly commands: readonly string[] }

export type VariableRule = {
  readonly name: string
  readonly owner: string
  readonly secretPaths: readonly string[]
  readonly sensitive: boolean
  readonly internal: boolean
  readonly value: ValueRule
  /** `SCOPE MODE` pairs in which it must be there; the mode `?` is a mode that nobody knows, where only what holds in every mode holds. */
  readonly requiredAt: ReadonlySet<string>
  /** The one value that it must have, by mode; `?` as above. */
  readonly constByMode: ReadonlyMap<string, string>
  /** For people: what its text must be, and when it must be there. */
  readonly expected: string
  readonly requiredWords: string
  readonly line: number
}

/** What a text must be. A portable expression is matched by printable ASCII alone, so that every language agrees. */
export type ValueRule =
  | { readonly kind: 'text'; readonly enum?: readonly string[]; readonly pattern?: string }
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'integer' | 'number' | 'port'
      readonly enum?: readonly string[]
      readonly minimum?: number
      readonly maximum?: number
    }
  | {
      readonly kind: 'uri'
      readonly enum?: readonly string[]
      readonly pattern?: string
      readonly schemes?: readonly string[]
    }
  | { readonly kind: 'duration' | 'list'; readonly enum?: readonly string[]; readonly pattern?: string }
  | { readonly kind: 'json' }

/** A variable that is forbidden everywhere: `truthy` unless it is empty, `0`, `false`, `no` or `off`; `present` when it is set at all. */
export type ProhibitionRule = {
  readonly id: string
  readonly reason: string
  readonly severity: string
  readonly when: 'truthy' | 'present'
  readonly variable: string
  readonly line: number
}

/** Asked in the scope `migrate` alone. */
export type MigrationRule = {
  readonly variable: string
  readonly roles: readonly {
    readonly name: string
    readonly migrate: 'allow' | 'confirm' | 'deny'
    readonly confirm?: { readonly variable: string; readonly value: string }
  }[]
  readonly roleByMode: Readonly<Record<string, string>>
  readonly line: number
}

/** The scope in which the role of the database decides. */
export const migrateScope = 'migrate'

/** Stands for a mode that nobody knows. */
export const unknownMode = '?'
