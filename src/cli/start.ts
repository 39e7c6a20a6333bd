import { existsSync, readFileSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Guard, isGuard, scopeOf } from '../guard/index.ts'
import { becomeCommand, findCommand, withoutInternal } from './become.ts'
import { exitCodes } from './exit-code.ts'
import { wantsJson } from './wants-json.ts'

// `check` and `run` stand before every start of a program. Where a compiled guard has nothing against the environment they do not wait for
// the rest of the command line, nor for parts of Node that only it needs. Everything else, and everything that goes wrong, is for `main.ts`.

/** As `engines` of the package says, which npm only warns of. */
const nodeNeeded = 24

/** Said here, because the rest of the program does not load there: not even `doctor`. */
function refuseOldNode(words: readonly string[]): void {
  const { node } = process.versions
  if (Number.parseInt(node, 10) >= nodeNeeded) return
  const code = 'option_invalid'
  const message = `Sallyport needs Node ${nodeNeeded} or newer; this is ${node}.`
  const next = `install Node ${nodeNeeded} or newer, and put it first in PATH`
  if (wantsJson(words)) writeSync(1, `${JSON.stringify({ error: { code, message, next } })}\n`)
  else writeSync(2, `error ${message} (${code})\nNext: ${next}\n`)
  process.exit(exitCodes.usage[0])
}

type Quick = {
  readonly compiled: string
  readonly contract: string | undefined
  readonly scope: string | undefined
  readonly command: readonly string[]
}

const valued = ['--compiled', '--contract', '--scope']

/** The words of a quick command; `undefined` when there is anything else among them. */
function quickWords(words: readonly string[]): Quick | undefined {
  const values = new Map<string, string>()
  const end = words.includes('--') ? words.indexOf('--') : words.length
  for (let at = 0; at < end; at += 2) {
    const [name = '', value] = words.slice(at, Math.min(at + 2, end))
    if (value === undefined || value.startsWith('-') || !valued.includes(name)) return undefined
    values.set(name, value)
  }
  const compiled = values.get('--compiled')
  if (compiled === undefined) return undefined
  const [contract, scope] = [values.get('--contract'), values.get('--scope')]
  return { compiled, contract, scope, command: words.slice(end + 1) }
}

/** Ends this process when all is done; returns when there is more to do or to say. */
function quickly([name, ...words]: readonly string[]): void {
  const quick = name === 'check' || name === 'run' ? quickWords(words) : undefined
  if (!quick || (name === 'run' && quick.command.length === 0)) return
  const guard = loadGuard(quick)
  if (!guard) return
  const { scope, belongs } = scopeOf(guard.contract, quick.command, quick.scope)
  // Once through the environment; `{ ...process.env }` asks the system three times for each variable.
  const env = withoutInternal(process.env, [])
  const { mode, findings } = guard.check(env, { scope, seenBy: 'launcher' })
  if (belongs || findings.length > 0) return
  if (name === 'check') {
    writeSync(1, `ok mode ${mode} · scope ${scope} · ${guard.contract.file}\n`)
    // A millisecond sooner than to wait for what might still come.
    process.exit(0)
  }
  const [program = ''] = quick.command
  const lookup = findCommand(program, env['PATH'])
  if (lookup.kind === 'found')
    becomeCommand(lookup.path, quick.command, withoutInternal(env, guard.contract.internal))
}

/** A compiled guard that is not stale. */
function loadGuard({ compiled, contract }: Quick): Guard | undefined {
  const path = resolve(compiled)
  // A starter is CommonJS, where `require` is at hand.
  const guard: unknown = require(path)
  if (!isGuard(guard)) return undefined
  const file = contract ?? `${dirname(path)}/${guard.contract.file}`
  if (contract === undefined && !existsSync(file)) return guard
  const digest = process.getBuiltinModule('node:crypto').hash('sha256', readFileSync(file))
  return `sha256:${digest}` === guard.contract.digest ? guard : undefined
}

refuseOldNode(process.argv.slice(2))
try {
  quickly(process.argv.slice(2))
} catch {
  // Nothing was started and nothing was written: it goes wrong once more where it is told well.
}
// A starter has no top-level await.
void import('./main.ts').then(({ program }) => program().parseAsync())
