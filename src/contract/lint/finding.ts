import type { Contract, Place } from '../contract.ts'
import type { Environment } from '../environment.ts'

/** `error`: it cannot be meant · `warning`: somebody must decide · `note`: it is so, and worth knowing. */
export type LintLevel = 'error' | 'warning' | 'note'

/** What each code means, in one sentence; the level is that of all its findings. */
export const lintCodes = {
  'action-wide': [
    'warning',
    'An action means everything of its kind at its provider, such as the scope `*`.',
  ],
  'adapter-without-reference': ['error', 'Requests of an adapter have no rules for credential references.'],
  'bypass-registered': ['warning', 'The registry has a variable that a prohibition forbids everywhere.'],
  'confirmation-impossible': ['error', 'The value that confirms is none that the variable can have.'],
  'discriminator-default': [
    'error',
    'A discriminator has an example, which example files hand out as its default.',
  ],
  'discriminator-optional': ['error', 'A discriminator may be absent, and then no mode holds.'],
  'discriminator-value-unused': ['warning', 'A discriminator may have a value that no mode has.'],
  'example-secret': [
    'error',
    'The example of a variable, which example files hand out, looks like a secret.',
  ],
  'example-wrong': [
    'error',
    'An example file lacks a name, has one too many or a value, or was compiled from another text.',
  ],
  'file-missing': ['warning', 'A file that the contract lists is not there.'],
  'gate-everywhere': ['warning', 'A gate is open in every mode.'],
  'gate-undocumented': ['warning', 'A gate does not say where it is implemented or written down.'],
  'gate-reference-missing': ['warning', 'The file where a gate is implemented or written down is not there.'],
  'grant-action-idle': ['warning', 'A grant has an action of which none of its resources is one.'],
  'grant-every-agent': ['note', 'A grant of a staging or production mode is for every agent of its tenant.'],
  'grant-inside': ['warning', 'A grant allows nothing that another grant does not allow.'],
  'grant-resource-impossible': ['error', 'A pattern of a grant can never be a resource of its actions.'],
  'grant-unusable': ['warning', 'No identity can use a grant.'],
  'grant-wide': ['warning', 'A grant of a staging or production mode leaves out no resource.'],
  'mode-without-plane': ['warning', 'A mode does not say whether the credentials of a plane are taken.'],
  'mode-without-role': ['error', 'A mode has no database role, so nothing can be migrated in it.'],
  'name-undeclared': ['warning', 'A secret path holds a key that is no variable of the registry.'],
  'owner-unspecified': ['warning', 'Nobody is named who answers for a group of variables.'],
  'owners-differ': ['warning', 'A variable and its secret path have different owners.'],
  'plane-contradicted': ['error', 'A mode permits a plane that a variable shuts there, or the reverse.'],
  'plane-unlocked': ['warning', 'A mode forbids a plane, and no variable keeps it shut there.'],
  'path-unclaimed': ['warning', 'A secret path holds a variable that does not name the path.'],
  'prohibition-undetected': ['warning', 'A prohibition says nothing of how it is detected.'],
  'reference-not-required': ['warning', 'A mode that is no development does not require references.'],
  'reference-pattern-open': ['error', 'A pattern of references is not bound to the whole text.'],
  'reference-ungranted': ['warning', 'A credential reference stands for what no grant allows.'],
  'role-unknown': [
    'error',
    'The variable of the database role may have a value that is no role, or lacks one.',
  ],
  'rotation-undocumented': [
    'warning',
    'Secrets of a contract with a production mode have no rotation window.',
  ],
  'secret-unmarked': ['warning', 'A variable is a secret by its name or its type, and is not marked.'],
  'secret-without-path': ['warning', 'A sensitive variable has no secret path.'],
  'sources-differ': ['note', 'A variable has more than one secret path, and the first wins.'],
  'stored-unmarked': ['note', 'A variable lives in a secret store and is not marked as sensitive.'],
} as const satisfies Readonly<Record<string, readonly [LintLevel, string]>>

export type LintCode = keyof typeof lintCodes

/** What contradicts itself in a contract that is valid. */
export type LintFinding = {
  readonly code: LintCode
  readonly level: LintLevel
  readonly message: string
  readonly place: Place
  /** The one change that mends it. */
  readonly next: string
}

/** A finding without its level, which its code gives. */
export type Found = Omit<LintFinding, 'level'>

/** What lint asks of others. */
export type LintWorld = {
  /** What kind of secret a text looks like, if any. */
  readonly secretKindOf: (text: string) => string | undefined
  /** Absent where nobody can say. */
  readonly isThere?: FilesThere | undefined
}

/** Whether a file is there, by its path from the root of the repository. */
export type FilesThere = (path: string) => boolean

/** One look at a contract with an environment. */
export type LintRule = (environment: Environment, contract: Contract) => readonly Found[]
