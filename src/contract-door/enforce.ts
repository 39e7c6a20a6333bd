import { readFileSync, writeSync } from 'node:fs'
import { guardRules } from '../compiler/index.ts'
import { type Contract, requireContract } from '../contract/index.ts'
import { type Checked, check, formatReport, type Variables } from '../guard/index.ts'
import { Failure } from '../primitives/index.ts'

export type EnforceOptions = {
  /** What the process is about to do; absent is the contract's default scope. */
  readonly scope?: string
  /** Absent is `process.env`. */
  readonly env?: Variables
}

/** The environment of a process that may go on: its mode and scope, and the declared variables that are set, as their texts. */
export type Enforced = {
  readonly mode: string
  readonly scope: string
  readonly variables: Readonly<Record<string, string>>
}

/** How a supervisor tells a refusal from a crash (`EX_CONFIG`). */
const refusedExitCode = 78

/**
 * Stops this process with exit code 78 when its environment is not as the contract says, with every problem on standard error; call it
 * before anything else. A path is read as a contract; one that cannot be read or is not valid stops the process as well. For a program
 * that must start fast, compile the contract (`sallyport compile --target ts`) and call the `enforce` of that file.
 */
export function enforce(contract: string | Contract, options: EnforceOptions = {}): Enforced {
  try {
    const { checked, rules, variables } = checkAgainst(contract, options)
    const { mode, scope, findings } = checked
    if (mode !== undefined && findings.length === 0) return { mode, scope, variables }
    return stop(formatReport(checked, { file: rules.file, discriminators: rules.discriminators }))
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return stop(`${thrown.message}${thrown.next === undefined ? '' : `\nNext: ${thrown.next}`}`)
  }
}

/** As `enforce`, but gives what is wrong and stops nothing: for tests, and for a program with its own way to end. */
export function inspect(contract: string | Contract, options: EnforceOptions = {}): Checked {
  return checkAgainst(contract, options).checked
}

function checkAgainst(contract: string | Contract, { scope, env = process.env }: EnforceOptions) {
  const parsed = typeof contract === 'string' ? readContract(contract) : contract
  const rules = guardRules(parsed)
  const checked = check(rules, env, { ...(scope === undefined ? {} : { scope }), seenBy: 'program' })
  const declared = rules.variables.flatMap(({ name }) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { checked, rules, variables: Object.freeze(Object.fromEntries(declared)) }
}

function readContract(file: string): Contract {
  try {
    return requireContract({ file, text: readFileSync(file, 'utf8') })
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('contract_unreadable', `The contract ${file} cannot be read.`, { cause })
  }
}

/** Written at once and not through a stream: nothing of it is lost when the process ends. */
function stop(words: string): never {
  try {
    writeSync(2, `${words}\n`)
  } finally {
    // Also where nothing can be written: what is thrown could be caught.
    process.exit(refusedExitCode)
  }
}
