import { type CheckOptions, check, type Variables } from './check.ts'
import type { Checked } from './finding.ts'
import type { GuardRules, ScopeRule } from './rules.ts'

/** Something that checks an environment: the interpreter, or a compiled guard in JavaScript, whose module has this shape. */
export type Guard = {
  readonly contract: GuardedContract
  check(env: Variables, options?: CheckOptions): Checked
}

/** What a guard says of its contract. */
export type GuardedContract = {
  readonly name: string
  readonly file: string
  readonly digest: string
  readonly discriminators: readonly string[]
  readonly modes: readonly { readonly name: string; readonly match: Readonly<Record<string, string>> }[]
  readonly scopes: readonly ScopeRule[]
  readonly defaultScope: string
  /** Every declared name, those that are secret, and those that a program never sees. */
  readonly variables: readonly string[]
  readonly sensitive: readonly string[]
  readonly internal: readonly string[]
}

export function guardOf(rules: GuardRules): Guard {
  return { contract: guardedContract(rules), check: (env, options) => check(rules, env, options) }
}

export function guardedContract(rules: GuardRules): GuardedContract {
  const { name, file, digest, discriminators, modes, scopes, defaultScope, variables } = rules
  const names = (of: readonly { readonly name: string }[]) => of.map((one) => one.name)
  return {
    name,
    file,
    digest,
    discriminators,
    modes: modes.map((mode) => ({ name: mode.name, match: mode.match })),
    scopes,
    defaultScope,
    variables: names(variables),
    sensitive: names(variables.filter(({ sensitive }) => sensitive)),
    internal: names(variables.filter(({ internal }) => internal)),
  }
}

/** Whether a module is a compiled guard. */
export function isGuard(module: unknown): module is Guard {
  return (
    typeof module === 'object' &&
    module !== null &&
    'check' in module &&
    typeof module.check === 'function' &&
    'contract' in module &&
    typeof module.contract === 'object' &&
    module.contract !== null &&
    'digest' in module.contract &&
    'internal' in module.contract
  )
}

/**
 * The scope of a process: the first one whose commands have this one, else the one that is wanted, else the default. `belongs` names the
 * pattern that gave it, when that is another one than is wanted: whoever says "runtime" to a migration is refused.
 */
export function scopeOf(
  { scopes, defaultScope }: Pick<GuardedContract, 'scopes' | 'defaultScope'>,
  command: readonly string[],
  wanted: string | undefined,
): { readonly scope: string; readonly belongs?: { readonly scope: string; readonly pattern: string } } {
  for (const { name, commands } of scopes) {
    const pattern = commands.find((one) => commandMatches(one, command))
    if (pattern === undefined) continue
    if (wanted === undefined || wanted === name) return { scope: name }
    return { scope: wanted, belongs: { scope: name, pattern } }
  }
  return { scope: wanted ?? defaultScope }
}

/** `alembic upgrade *`: words, the first without its folder; `*` is one word, or all that follow when it stands last. */
function commandMatches(pattern: string, [program = '', ...words]: readonly string[]): boolean {
  const given = [program.split('/').at(-1) ?? '', ...words]
  const wanted = pattern.split(' ').filter((word) => word !== '')
  const open = wanted.at(-1) === '*'
  const closed = open ? wanted.slice(0, -1) : wanted
  if (open ? given.length < closed.length : given.length !== closed.length) return false
  return closed.every((word, index) => word === '*' || word === given[index])
}
