import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readContract } from '../catalog/index.ts'
import { ContractInvalid, resolveMode } from '../contract/index.ts'
import { toFailure } from '../primitives/index.ts'
import { type ConnectionOptions, fromEnvironment, withBroker } from './connection.ts'
import { problemList, problemText } from './contract-problems.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal } from './terminal.ts'

export type DoctorOptions = ConnectionOptions & { readonly contract?: string; readonly data?: string }

/** `warn` is worth a look, and does not make the doctor fail. */
type State = 'ok' | 'warn' | 'bad' | 'skipped'

type Check = {
  readonly check: string
  readonly state: State
  readonly detail: string
  readonly next?: string
  readonly invalid?: ContractInvalid
}

/** `sallyport doctor`: everything that can be looked at from here, each with what to do about it. */
export async function doctor(io: Terminal, options: DoctorOptions): Promise<number> {
  const checks = [
    nodeCheck(),
    await contractCheck(options),
    dataCheck(options),
    ambientCheck(),
    await brokerCheck(options),
  ]
  if (io.json) io.data({ checks: checks.map(asData) })
  else for (const check of checks) tellCheck(io, check)
  return exitCodes[checks.some(({ state }) => state === 'bad') ? 'failed' : 'ok'][0]
}

function asData({ invalid, ...check }: Check) {
  return invalid === undefined ? check : { ...check, problems: problemList(invalid) }
}

function tellCheck(io: Terminal, { check, state, detail, next, invalid }: Check): void {
  const margin = ' '.repeat(30)
  io.out(`${paint(colours[state], state.padEnd(7))}  ${check.padEnd(19)}  ${detail}`)
  if (next !== undefined) io.out(`${margin}${next}`)
  if (invalid !== undefined) io.out(`\n${problemText(invalid)}\n`)
}

const colours = { ok: 'green', warn: 'yellow', bad: 'red', skipped: 'gray' } as const

function nodeCheck(): Check {
  const version = process.versions.node
  const check = { check: 'node', detail: version }
  return Number(version.split('.')[0]) >= 24
    ? { ...check, state: 'ok' }
    : { ...check, state: 'bad', next: '24 or newer is needed' }
}

async function contractCheck({ contract }: DoctorOptions): Promise<Check> {
  const check = 'contract'
  if (contract === undefined)
    return { check, state: 'skipped', detail: 'none is named', next: '--contract FILE' }
  try {
    const parsed = await readContract(contract)
    const { name } = resolveMode(parsed, process.env)
    return { check, state: 'ok', detail: `${contract}, mode ${name}, ${parsed.grants.length} grants` }
  } catch (thrown) {
    if (thrown instanceof ContractInvalid)
      return { check, state: 'bad', detail: `${contract} is not valid`, invalid: thrown }
    const { message, next } = toFailure(thrown)
    return { check, state: 'bad', detail: message, ...(next === undefined ? {} : { next }) }
  }
}

function dataCheck({ data }: DoctorOptions): Check {
  const check = 'data folder'
  if (data === undefined) return { check, state: 'skipped', detail: 'none is named', next: '--data DIR' }
  const keys = join(data, 'keys')
  if (!existsSync(keys))
    return {
      check,
      state: 'bad',
      detail: `${keys} is not there`,
      next: 'the broker makes it when it first starts',
    }
  const open = [data, keys].filter((path) => (statSync(path).mode & 0o077) !== 0).join(' ')
  return open === ''
    ? { check, state: 'ok', detail: `${data}, its owner's alone` }
    : { check, state: 'bad', detail: `others may enter ${open}`, next: `chmod 700 ${open}` }
}

const secretNames = /(SECRET|PASSWORD|PASSWD|TOKEN|API_KEY|ACCESS_KEY|PRIVATE_KEY|DATABASE_URL|CREDENTIAL)/
const secretFiles = ['.aws/credentials', '.pgpass', '.netrc', '.git-credentials', '.vault-token']

/** Names, never values, of what looks like a long-lived secret within reach of whatever runs here. */
function ambientCheck(): Check {
  const check = 'ambient credentials'
  const names = Object.keys(process.env).filter(
    (name) => secretNames.test(name) && !/_(FILE|URI)$/.test(name),
  )
  const files = secretFiles.filter((file) => existsSync(join(homedir(), file))).map((file) => `~/${file}`)
  const found = [...names.sort(), ...files]
  if (found.length === 0) return { check, state: 'ok', detail: 'none found in the environment and at home' }
  const next = 'a child of sallyport run gets none of these variables; files stay readable for who owns them'
  return { check, state: 'warn', detail: found.join(', '), next }
}

async function brokerCheck(options: DoctorOptions): Promise<Check> {
  const check = 'broker'
  const { url, dev } = fromEnvironment(options, process.env)
  if (url === undefined && dev === undefined)
    return { check, state: 'skipped', detail: 'none is named', next: '--url URL, or SALLYPORT_DEV' }
  try {
    const { leases } = await withBroker(options, (client) => client.leases({ limit: 1 }))
    return {
      check,
      state: 'ok',
      detail: `answers and knows who calls${leases.length > 0 ? '' : '; no lease yet'}`,
    }
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : 'it does not answer'
    const next = thrown instanceof Error && 'next' in thrown ? thrown.next : undefined
    return { check, state: 'bad', detail, ...(typeof next === 'string' ? { next } : {}) }
  }
}
