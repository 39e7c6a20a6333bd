// Compiled by sallyport from ficecal.yaml. Do not edit it: compile the contract again.
export type Variables = Readonly<Record<string, string | undefined>>

export type Finding = {
  readonly code: string
  readonly variable?: string
  readonly owner?: string
  readonly secretPaths: readonly string[]
  readonly message: string
  readonly expected: string
  readonly seen: string
  readonly fix: string
  readonly line: number
}

export type Checked = { readonly mode?: string; readonly scope: string; readonly findings: readonly Finding[] }

export type CheckOptions = { readonly scope?: string; readonly seenBy?: 'launcher' | 'program' }

type About = readonly [
  owner: string,
  secretPaths: readonly string[],
  sensitive: boolean,
  expected: string,
  requiredWords: string,
  line: number,
  fixed: Readonly<Record<string, string>>,
]

/** Every variable of the contract. */
export type Values = {
  /** unspecified · one of development, staging, production · required always */
  readonly NODE_ENV?: "development" | "staging" | "production"
  /** unspecified · a URI, with the scheme https or http · required always */
  readonly FICECAL_API_BASE?: string
  /** unspecified · a URI, with the scheme https or http · required always */
  readonly FICECAL_MCP_BASE?: string
  /** unspecified · a URI, with the scheme https or http */
  readonly FICECAL_SECRET_RESOLVER_ENDPOINT?: string
  /** unspecified · text */
  readonly FICECAL_CREDENTIALS_BACKEND?: string
}

export type Mode = 'LOCAL' | 'STAGE' | 'PROD'

export type RuntimeEnvironment =
  | (Values & { readonly mode: 'LOCAL'; readonly scope: 'runtime'; readonly NODE_ENV: "development"; readonly FICECAL_API_BASE: string; readonly FICECAL_MCP_BASE: string })
  | (Values & { readonly mode: 'STAGE'; readonly scope: 'runtime'; readonly NODE_ENV: "staging"; readonly FICECAL_API_BASE: string; readonly FICECAL_MCP_BASE: string })
  | (Values & { readonly mode: 'PROD'; readonly scope: 'runtime'; readonly NODE_ENV: "production"; readonly FICECAL_API_BASE: string; readonly FICECAL_MCP_BASE: string })

/** The environment of a process of the default scope. */
export type Environment = RuntimeEnvironment


/** The contract that this guard was compiled from. */
export const contract = {"name":"ficecal","file":"ficecal.yaml","digest":"sha256:be104e003b29bc7738b167a5fadf736f83c73bf169bbabc890084edc2beabbc1","discriminators":["NODE_ENV"],"modes":[{"name":"LOCAL","match":{"NODE_ENV":"development"}},{"name":"STAGE","match":{"NODE_ENV":"staging"}},{"name":"PROD","match":{"NODE_ENV":"production"}}],"scopes":[{"name":"runtime","commands":[]}],"defaultScope":"runtime","variables":["NODE_ENV","FICECAL_API_BASE","FICECAL_MCP_BASE","FICECAL_SECRET_RESOLVER_ENDPOINT","FICECAL_CREDENTIALS_BACKEND"],"sensitive":[],"internal":[]}

const scopes: readonly string[] = ["runtime"]
const modes: readonly (readonly [name: string, match: Readonly<Record<string, string>>, line: number])[] = [
  ["LOCAL",{"NODE_ENV":"development"},15],
  ["STAGE",{"NODE_ENV":"staging"},16],
  ["PROD",{"NODE_ENV":"production"},17],
]
// Asked only when there is a finding, so it is not made before.
let table: Readonly<Record<string, About>> | undefined
const about = (): Readonly<Record<string, About>> => (table ??= {
  NODE_ENV: ["unspecified",[],false,"one of development, staging, production","always",24,{}],
  FICECAL_API_BASE: ["unspecified",[],false,"a URI, with the scheme https or http","always",25,{}],
  FICECAL_MCP_BASE: ["unspecified",[],false,"a URI, with the scheme https or http","always",27,{}],
  FICECAL_SECRET_RESOLVER_ENDPOINT: ["unspecified",[],false,"a URI, with the scheme https or http","",32,{}],
})

// In parentheses, because V8 reads such a function once; of another it looks for the end first, and reads it again when it is called.
/** Everything that is wrong with an environment, at once. Never throws, and shows no character of a sensitive value. */
export const check = (function check(env: Variables, options: CheckOptions = {}): Checked {
  const scope = options.scope ?? "runtime"
  const program = options.seenBy !== 'launcher'
  const findings: Finding[] = []
  const modeIndex = modes.findIndex(([, match]) => env.NODE_ENV === match.NODE_ENV)
  const mode = modes[modeIndex]?.[0] ?? "?"
  const scopeIndex = scopes.indexOf(scope)
  const at = scopeIndex < 0 ? -1 : scopeIndex * 4 + (modeIndex < 0 ? 3 : modeIndex)
  const no = (code: string, name: string) => {
    findings.push(variableFinding(code, name, env[name], mode, at))
  }
  let v: string | undefined
  let only: string | undefined
  const stale = env.SALLYPORT_CONTRACT_DIGEST
  if (stale !== undefined && stale !== contract.digest) findings.push(staleFinding("SALLYPORT_CONTRACT_DIGEST"))
  if (scopeIndex < 0) findings.push(scopeFinding(scope))
  if (modeIndex < 0) findings.push(modeFinding(env))
  for (const name of ["FICECAL_API_BASE","FICECAL_MCP_BASE"]) {
    v = env[name]
    if ((v === undefined || v === '') && at >= 0) no('E201', name)
    else if (v !== undefined) {
      if (!isUri(v)) no('E202', name)
      else if (!v.startsWith("https:") && !v.startsWith("http:")) no('E206', name)
    }
  }
    v = env.FICECAL_SECRET_RESOLVER_ENDPOINT
    if (v !== undefined) {
      if (!isUri(v)) no('E202', 'FICECAL_SECRET_RESOLVER_ENDPOINT')
      else if (!v.startsWith("https:") && !v.startsWith("http:")) no('E206', 'FICECAL_SECRET_RESOLVER_ENDPOINT')
    }
  // Said in the order of the contract; what is of no variable stands first.
  if (findings.length > 1) findings.sort((left, right) => placeOf(left) - placeOf(right))


  return { ...(modeIndex < 0 ? {} : { mode }), scope, findings }
})

function placeOf({ variable = '' }: Finding): number {
  return contract.variables.indexOf(variable)
}

function variableFinding(code: string, variable: string, value: string | undefined, mode: string, at: number): Finding {
  const [owner = '', secretPaths = [], sensitive = true, expected = '', requiredWords = '', line = 0, fixed = {}] = about()[variable] ?? []
  const only = fixed[mode]
  const [path] = secretPaths
  const words = (message: string, wanted: string, fix: string): Finding => ({
    code, variable, owner, secretPaths, message, expected: wanted, seen: seenWords(value, sensitive), fix, line,
  })
  switch (code) {
    case 'E201': {
      const from = path === undefined || path === 'unspecified' ? '' : ` from ${path}`
      const when = requiredWords === 'always' ? '' : ` (${requiredWords})`
      const fix = only === undefined ? `set ${variable}${from}` : `set ${variable}=${only}`
      return words(`${variable} is required${when}.`, only ?? expected, fix)
    }
    case 'E204':
      return words(`${variable} is fixed in ${mode === "?" ? 'every mode' : mode}.`, only ?? '', `set ${variable}=${only}`)
    case 'E208':
      return words(`${variable} is the launcher's alone.`, 'not set', 'start the program with `sallyport run`, which keeps it back')
    default: {
      const optional = isRequired(variable, at) ? '' : ', or unset it'
      return words(`${variable} ${faults[code] ?? ''}.`, expected, `set ${variable} to ${expected}${optional}`)
    }
  }
}

const faults: Readonly<Record<string, string>> = {
  E202: 'is of another type',
  E203: 'has none of its values',
  E205: 'is out of range',
  E206: 'has the wrong scheme',
  E207: 'does not match its pattern',
}

const requiredAt = (): Readonly<Record<string, string>> => ({"FICECAL_API_BASE":"1111","FICECAL_MCP_BASE":"1111"})

function isRequired(name: string, at: number): boolean {
  return requiredAt()[name]?.[at] === '1'
}

function otherFinding(
  code: string,
  variable: string,
  value: string | undefined,
  words: Pick<Finding, 'message' | 'expected' | 'fix' | 'line'>,
): Finding {
  const known = about()[variable]
  const [owner, secretPaths = [], sensitive = true] = known ?? []
  const { message, expected, fix, line } = words
  return { code, variable, ...(owner === undefined ? {} : { owner }), secretPaths, message, expected, seen: seenWords(value, sensitive), fix, line }
}

function staleFinding(where: string): Finding {
  return {
    code: 'E103', secretPaths: [], message: `This guard is of another contract than ${where} says.`, expected: contract.digest,
    seen: 'another digest', fix: `compile ${contract.file} again`, line: 0,
  }
}

function scopeFinding(scope: string): Finding {
  const names = scopes.join(', ')
  return {
    code: 'E102', secretPaths: [], message: 'There is no such scope.', expected: `one of ${names}`,
    seen: seenWords(scope, false), fix: `name one of ${names}`, line: 0,
  }
}

function modeFinding(env: Variables): Finding {
  const names = contract.discriminators
  const owners: Readonly<Record<string, string>> = {"NODE_ENV":"unspecified"}
  const ranked = modes.map(([name, match, line]) => ({ name, match, line, differing: names.filter((one) => env[one] !== match[one]) }))
  const fewest = Math.min(...ranked.map(({ differing }) => differing.length))
  const nearest = ranked.filter(({ differing }) => differing.length === fewest)
  const owner = [...new Set(nearest.flatMap(({ differing }) => differing.flatMap((name) => owners[name] ?? [])))].join(', ')
  const seen = names.map((name) => `${name}=${env[name] === undefined ? '(not set)' : env[name] === '' ? '(empty)' : seenWords(env[name], false)}`).join(' ')
  const tuples = modes.map(([name, match]) => `${name}(${names.map((one) => match[one]).join(',')})`).join(' ')
  return {
    code: 'E101', ...(owner === '' ? {} : { owner }), secretPaths: [], message: `No mode has ${seen}.`,
    expected: `${names.join(',')} as in ${tuples}`, seen,
    fix: nearest.map(({ name, match, differing }) => `${name} needs ${differing.map((one) => `${one}=${match[one]}`).join(' ')}`).join(' · '),
    line: nearest[0]?.line ?? 0,
  }
}

/** Nothing but its length is said of a sensitive value, and of what looks like a secret in the wrong place. */
function seenWords(value: string | undefined, sensitive: boolean): string {
  if (value === undefined) return 'not set'
  if (value === '') return 'set, but empty'
  const length = `set, ${value.length} characters`
  if (sensitive || !/^[\x20-\x7e]*$/.test(value) || (value.includes('://') && /[@?]/.test(value)) || /[A-Za-z0-9+/=_.-]{32}/.test(value)) return length
  return value.length > 60 ? `${length}, beginning ${value.slice(0, 60)}` : value
}

function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text)
}

/**
 * Stops the program with exit code 78 and every problem on standard error when its environment is not as the contract says; else gives the
 * variables by name, in their types. A contract file beside this guard must be the one that it was compiled from.
 */
export function enforce(options?: { readonly scope?: "runtime"; readonly env?: Variables }): RuntimeEnvironment
export function enforce(options: { readonly scope?: string; readonly env?: Variables } = {}): unknown {
  const env = { ...(options.env ?? process.env) }
  const checked = check(env, options.scope === undefined ? {} : { scope: options.scope })
  const findings = [...(isStale() ? [staleFinding(contract.file)] : []), ...checked.findings]
  if (findings.length > 0) {
    try {
      process.getBuiltinModule('node:fs').writeSync(2, report({ ...checked, findings }))
    } finally {
      // Also where nothing can be written: what is thrown could be caught.
      process.exit(78)
    }
  }
  return read(env, checked)
}

/** The report of a check, for people. */
export function report({ mode, scope, findings }: Checked): string {
  const lines = findings.map(({ code, message, seen, expected, owner, secretPaths, fix }) =>
    `error[${code}] ${message}\n  found     ${seen}\n  expected  ${expected}\n${owner === undefined ? '' : `  owner     ${owner}\n`}${secretPaths.length === 0 ? '' : `  secret    ${secretPaths.join(', else ')}\n`}  fix       ${fix}\n`)
  return `${lines.join('\n')}\n${findings.length} ${findings.length === 1 ? 'problem' : 'problems'} · mode ${mode ?? '(none)'} · scope ${scope} · ${contract.file}\nNothing was started, and nothing was guessed.\n`
}

function isStale(): boolean {
  const { statSync, readFileSync } = process.getBuiltinModule('node:fs')
  const beside = `${import.meta.dirname}/${contract.file}`
  try {
    if (statSync(beside, { throwIfNoEntry: false }) === undefined) return false
    return `sha256:${process.getBuiltinModule('node:crypto').hash('sha256', readFileSync(beside))}` !== contract.digest
  } catch {
    // One that is there and cannot be read may be another one.
    return true
  }
}

// Those that are not given as the text that they are.
const kinds = (): Readonly<Record<string, string>> => ({

})

/** The declared variables that are set, in their types; of an environment that passed. */
function read(env: Variables, { mode, scope }: Checked): unknown {
  const values: Record<string, unknown> = { mode, scope }
  const kind = kinds()
  for (const name of contract.variables) {
    const text = env[name]
    if (text !== undefined) values[name] = valueOf(text, kind[name])
  }
  return Object.freeze(values)
}

function valueOf(text: string, kind: string | undefined): unknown {
  switch (kind) {
    case 'boolean':
      return text === 'true'
    case 'integer':
    case 'number':
    case 'port':
      return Number(text)
    case 'list':
      return text.split(',')
    case 'json':
      return JSON.parse(text)
    default:
      return text
  }
}
