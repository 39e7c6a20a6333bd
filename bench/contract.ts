import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { compileContract, guardRules } from '../src/compiler/index.ts'
import { requireContract } from '../src/contract/index.ts'
import { confirmationsOf, type GuardRules, isGuard } from '../src/guard/index.ts'
import { buildEntry } from '../tools/build.ts'
import {
  type Bench,
  type Comparison,
  type Contender,
  median,
  type Skipped,
  wallMilliseconds,
} from './harness.ts'

const root = join(import.meta.dirname, '..')
const peers = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'environment/node_modules')

/** The contract of 163 variables and nine more: what a check costs at the start of a program, where every variable is set and right. */
export const contract: Bench = {
  name: 'contract',
  title: 'check and run against bare node, and against others that check an environment',
  rounds: { full: 15, short: 2 },
  open: async (_scale, stack) => {
    await buildEntry({ source: 'src/cli/main.ts', target: join(root, 'dist/sallyport.js'), kind: 'program' })
    await buildEntry({ source: 'src/cli/start.ts', target: join(root, 'dist/start.cjs'), kind: 'starter' })
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
    stack.defer(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'agenticverz.yaml')
    const text = readFileSync(join(root, 'contracts/agenticverz.yaml'), 'utf8')
    const parsed = requireContract({ file, text })
    const rules = guardRules(parsed)
    // The guard stands alone, as it does in an image: the contract is not beside it.
    mkdirSync(join(folder, 'guard'))
    const compiled = join(folder, 'guard/guard.mjs')
    writeFileSync(file, text)
    writeFileSync(compiled, compileContract(parsed, 'js'))
    writeFileSync(join(folder, 'guard/guard.sh'), compileContract(parsed, 'sh'))
    const world = { folder, file, compiled, env: fullEnvironment(rules) }
    return [...own(world), ...(await inProcess(world)), ...others(world, rules)]
  },
}

type World = {
  readonly folder: string
  readonly file: string
  readonly compiled: string
  readonly env: Record<string, string>
}

function own({ file, compiled, env, folder }: World): readonly Comparison[] {
  const bare = ofSeveral(program('node -e 0', env, [process.execPath, '--eval', '0']))
  const check = ofSeveral(checkOf({ compiled, env }))
  const start = join(root, 'dist/start.cjs')
  const run = [process.execPath, start, 'run', '--compiled', compiled, '--', '/bin/true']
  const main = join(root, 'dist/sallyport.js')
  const compile = [process.execPath, main, 'compile', '--target', 'js', '--contract', file]
  return [
    { row: 'sallyport check --compiled', subject: check, against: bare, goal: 1.1 },
    {
      row: 'sallyport run -- true',
      subject: ofSeveral(program('sallyport run', env, run)),
      against: bare,
      goal: 1.15,
    },
    {
      row: 'the guard in sh',
      subject: program('sh guard.sh', env, ['/bin/sh', join(folder, 'guard/guard.sh')]),
      against: program('sh -c :', env, ['/bin/sh', '-c', ':']),
      goal: 3,
    },
    {
      row: 'lint and compile',
      subject: program('sallyport compile', env, compile),
      against: { name: '300 ms', run: () => 300 },
      goal: 1,
    },
  ]
}

function checkOf({ compiled, env }: Pick<World, 'compiled' | 'env'>): Contender {
  const words = [process.execPath, join(root, 'dist/start.cjs'), 'check', '--compiled', compiled]
  return program('sallyport check', env, words)
}

const checksInARow = 2000

/** Microseconds of one check, of variables that were read from the process once. */
async function inProcess({ compiled, env }: World): Promise<readonly Comparison[]> {
  const guard: unknown = await import(compiled)
  if (!isGuard(guard)) throw new Error('The compiled guard is none.')
  const asLauncher = { seenBy: 'launcher' } as const
  const found = guard.check(env, asLauncher).findings
  if (found.length > 0)
    throw new Error(`The environment of the bench is refused: ${JSON.stringify(found[0])}`)
  const run = async () => {
    const milliseconds = await wallMilliseconds(() => {
      for (let done = 0; done < checksInARow; done += 1) guard.check(env, asLauncher)
    })
    return (milliseconds * 1000) / checksInARow
  }
  const budget = { name: '10 µs', run: () => 10 }
  return [{ row: 'a check in process', subject: { name: 'guard', run }, against: budget, goal: 1 }]
}

/** A process from its start to its end, in milliseconds. */
function program(
  name: string,
  env: Record<string, string>,
  [command = '', ...words]: readonly string[],
): Contender {
  const run = () =>
    wallMilliseconds(() => {
      const { status, stderr } = spawnSync(command, words, { env, encoding: 'utf8', timeout: 60_000 })
      if (status !== 0) throw new Error(`${name} failed (${status}):\n${stderr}`)
    })
  return { name, run }
}

const startsInARow = 5

/** The median of several starts, on both sides: two milliseconds are to be told apart, and single starts scatter by more. */
function ofSeveral({ name, run }: Contender): Contender {
  const runAll = async () => {
    const milliseconds: number[] = []
    for (let done = 0; done < startsInARow; done += 1) milliseconds.push(await run())
    return median(milliseconds)
  }
  return { name, run: runAll }
}

/** The same names and types said to others. */
function others({ folder, compiled, env }: World, rules: GuardRules): readonly (Comparison | Skipped)[] {
  if (!existsSync(join(peers, 'varlock')))
    return [{ row: 'check against others', skipped: 'node tools/peers.ts installs them' }]
  writeFileSync(join(folder, 'envalid.cjs'), envalidProgram(rules))
  writeFileSync(join(folder, 't3-env.mjs'), t3Program(rules))
  mkdirSync(join(folder, 'varlock'))
  writeFileSync(join(folder, 'varlock/.env.schema'), varlockSchema(rules))
  writeFileSync(join(folder, '.env'), dotenvText(env))
  const check = checkOf({ compiled, env })
  const node = (name: string, ...words: readonly string[]) => program(name, env, [process.execPath, ...words])
  const varlock = join(peers, 'varlock/bin/cli.js')
  const quiet = { ...env, VARLOCK_TELEMETRY_DISABLED: '1' }
  const load = [process.execPath, varlock, 'load', '--path', join(folder, 'varlock/'), '--format', 'json']
  const against: readonly Contender[] = [
    node('envalid', join(folder, 'envalid.cjs')),
    node('t3-env', join(folder, 't3-env.mjs')),
    program('varlock load', quiet, load),
    node(
      'dotenvx run -- true',
      join(peers, '@dotenvx/dotenvx/src/cli/dotenvx.js'),
      ...['run', '-q', '-f', join(folder, '.env'), '--', '/bin/true'],
    ),
  ]
  return against.map((one) => ({ row: `check against ${one.name}`, subject: check, against: one, goal: 1 }))
}

/** Every variable, set to what it may be in LOCAL. */
function fullEnvironment(rules: GuardRules): Record<string, string> {
  const forbidden = new Map(rules.prohibitions.map(({ variable, when }) => [variable, when]))
  // Of a program that migrates nothing.
  const confirmations = rules.migration
    ? confirmationsOf(rules.migration).map(({ variable }) => variable)
    : []
  const local = rules.modes.find(({ name }) => name === 'LOCAL')?.match ?? {}
  const entries = rules.variables.flatMap(({ name, value, constByMode }) => {
    if (forbidden.get(name) === 'present') return []
    if (confirmations.includes(name)) return [[name, 'false'] as const]
    const text = local[name] ?? constByMode.get('LOCAL') ?? textFor(value)
    return [[name, forbidden.has(name) ? 'false' : text] as const]
  })
  return Object.fromEntries(entries)
}

function textFor(value: GuardRules['variables'][number]['value']): string {
  if ('enum' in value && value.enum) return value.enum[0] ?? ''
  switch (value.kind) {
    case 'boolean':
      return 'true'
    case 'integer':
    case 'number':
    case 'port':
      return '5432'
    case 'uri':
      return `${'schemes' in value && value.schemes ? value.schemes[0] : 'https'}://host.example/path`
    case 'duration':
      return '30s'
    case 'json':
      return '{}'
    default:
      return 'some-text'
  }
}

function envalidProgram({ variables }: GuardRules): string {
  const specs = variables.map(({ name, value }) => {
    if ('enum' in value && value.enum) return `${name}: str({ choices: ${JSON.stringify(value.enum)} })`
    return `${name}: ${envalidTypes[value.kind] ?? 'str'}({ default: undefined })`
  })
  return `const { cleanEnv, str, bool, num, url, port } = require(${JSON.stringify(join(peers, 'envalid'))})
cleanEnv(process.env, { ${specs.join(', ')} })
`
}

const envalidTypes: Readonly<Record<string, string>> = {
  boolean: 'bool',
  integer: 'num',
  number: 'num',
  port: 'port',
  uri: 'url',
}

function t3Program({ variables }: GuardRules): string {
  const specs = variables.map(({ name, value }) => {
    const type =
      'enum' in value && value.enum
        ? `z.enum(${JSON.stringify(value.enum)})`
        : (t3Types[value.kind] ?? 'z.string()')
    return `${name}: ${type}.optional()`
  })
  return `import { createEnv } from ${JSON.stringify(join(peers, '@t3-oss/env-core/dist/index.js'))}
import { z } from ${JSON.stringify(join(peers, 'zod/index.js'))}
createEnv({ server: { ${specs.join(', ')} }, runtimeEnv: process.env })
`
}

const t3Types: Readonly<Record<string, string>> = {
  boolean: "z.enum(['true', 'false'])",
  integer: 'z.coerce.number().int()',
  number: 'z.coerce.number()',
  port: 'z.coerce.number().int().max(65535)',
  uri: 'z.url()',
}

function varlockSchema({ variables }: GuardRules): string {
  const items = variables.map(({ name, value, sensitive }) => {
    const type =
      'enum' in value && value.enum
        ? `enum(${value.enum.join(', ')})`
        : (varlockTypes[value.kind] ?? 'string')
    return `# @type=${type} @optional${sensitive ? ' @sensitive' : ''}\n${name}=`
  })
  return `# @defaultSensitive=false\n# ---\n${items.join('\n')}\n`
}

const varlockTypes: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  integer: 'number',
  number: 'number',
  port: 'port',
  uri: 'url',
}

function dotenvText(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('')
}
