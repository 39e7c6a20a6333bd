import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import {
  type Examined,
  examineDisk,
  examineLog,
  examineProviders,
  hasDataFolder,
  openPolicy,
  openToOthers,
  readContract,
} from '../catalog/index.ts'
import { type Contract, ContractInvalid, resolveMode } from '../contract/index.ts'
import { toFailure } from '../primitives/index.ts'
import { type ConnectionOptions, fromEnvironment, withBroker } from './connection.ts'
import { problemList, problemText } from './contract-problems.ts'
import { type Clocked, examineBroker, examineClock, examineIssuer } from './doctor-reach.ts'
import { exitCodes } from './exit-code.ts'
import { contractFileByDefault } from './guard-file.ts'
import { paint, type Terminal } from './terminal.ts'

export type DoctorOptions = ConnectionOptions & { readonly contract?: string; readonly data?: string }

type Check = Examined & Clocked & { readonly check: string; readonly invalid?: ContractInvalid }

/** `sallyport doctor`: everything that can be looked at from here, each with what to do about it; 1 where anything is `bad`. Nothing is changed. */
export async function doctor(io: Terminal, options: DoctorOptions): Promise<number> {
  const { contract, checks: ofContract } = await contractChecks(options)
  const broker = await told('broker', () => examineBroker(options))
  const issuers = await Promise.all(
    [...(contract?.issuers.values() ?? [])].map((issuer) =>
      told(`issuer ${issuer.name}`, () => examineIssuer(issuer)),
    ),
  )
  const checks = [
    nodeCheck(),
    ...ofContract,
    ...(await dataChecks(options)),
    ...(contract ? await brokerPartChecks(contract) : []),
    ...issuers,
    { check: 'clock', ...examineClock([broker, ...issuers]) },
    broker,
    ...(broker.state === 'ok' ? [await callerCheck(options)] : []),
    ambientCheck(),
  ]
  if (io.json) io.data({ checks: checks.map(asData) })
  else for (const check of checks) tellCheck(io, check)
  return exitCodes[checks.some(({ state }) => state === 'bad') ? 'failed' : 'ok'][0]
}

/** A check that breaks is a finding, not the end of the others. */
async function told(check: string, look: () => Promise<Examined & Clocked>): Promise<Check> {
  try {
    return { check, ...(await look()) }
  } catch (thrown) {
    const { message, next } = toFailure(thrown)
    return { check, state: 'bad', detail: message, ...(next === undefined ? {} : { next }) }
  }
}

function asData({ invalid, aheadSeconds: _, ...check }: Check) {
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

async function contractChecks(
  options: DoctorOptions,
): Promise<{ readonly contract?: Contract; readonly checks: readonly Check[] }> {
  const file = options.contract ?? (existsSync(contractFileByDefault) ? contractFileByDefault : undefined)
  if (file === undefined) return { checks: [contractless] }
  let contract: Contract
  try {
    contract = await readContract(file)
  } catch (thrown) {
    const invalid = thrown instanceof ContractInvalid ? { invalid: thrown } : {}
    const { message, next } = toFailure(thrown)
    const detail = thrown instanceof ContractInvalid ? `${file} is not valid` : message
    const advice = next === undefined || thrown instanceof ContractInvalid ? {} : { next }
    return { checks: [{ check: 'contract', state: 'bad', detail, ...advice, ...invalid }] }
  }
  const words = `${file}, ${contract.modes.size} modes, ${contract.grants.length} grants, ${contract.digest.slice(0, 19)}…`
  const mode = await told('mode', async (): Promise<Examined> => {
    const { name, class: kind } = resolveMode(contract, process.env)
    return { state: 'ok', detail: `${name}, of class ${kind}` }
  })
  return { contract, checks: [{ check: 'contract', state: 'ok', detail: words }, mode] }
}

const contractless: Check = {
  check: 'contract',
  state: 'skipped',
  detail: `none is named, and there is no ${contractFileByDefault} here`,
  next: '--contract FILE',
}

async function dataChecks({ data }: DoctorOptions): Promise<readonly Check[]> {
  if (data === undefined)
    return [{ check: 'data folder', state: 'skipped', detail: 'none is named', next: '--data DIR' }]
  const found = await told('data folder', async () => findFolder(data))
  if (found.state !== 'ok') return [found]
  return [
    await told('permissions', async () => examinePermissions(data)),
    await told('store', async () => examineDisk(data)),
    await told('log', () => examineLog(data)),
  ]
}

function findFolder(data: string): Examined {
  if (hasDataFolder(data)) return { state: 'ok', detail: data }
  const next = 'the broker makes it when it first starts'
  return { state: 'bad', detail: `${data} is not there`, next }
}

function examinePermissions(data: string): Examined {
  const open = openToOthers(data)
  if (open.length === 0) return { state: 'ok', detail: `${data} and its keys are their owner's alone` }
  const [detail, next] = [`others may reach ${open.join(' ')}`, `chmod go-rwx ${open.join(' ')}`]
  return { state: 'bad', detail, next }
}

const providerMilliseconds = 5_000

/** What only a contract with grants has: policy, and providers. */
async function brokerPartChecks(contract: Contract): Promise<readonly Check[]> {
  if (contract.providers.size === 0) return []
  const policy = await told('policy', async (): Promise<Examined> => {
    const { revision } = await openPolicy(contract, { kind: 'bundled' })
    return { state: 'ok', detail: revision }
  })
  try {
    const found = await examineProviders(contract, process.env, providerMilliseconds)
    return [policy, ...[...found].map(([name, seen]) => ({ check: `provider ${name}`, ...seen }))]
  } catch (thrown) {
    const { message, next } =
      thrown instanceof ContractInvalid ? (thrown.problems[0] ?? thrown) : toFailure(thrown)
    const detail = `cannot be asked from here: ${message}`
    return [policy, { check: 'providers', state: 'warn', detail, ...(next === undefined ? {} : { next }) }]
  }
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

/** Whether the broker knows who calls. */
async function callerCheck(options: DoctorOptions): Promise<Check> {
  const check = 'caller'
  const { dev, cert, keyFile, tokenFile } = fromEnvironment(options, process.env)
  if ([dev, cert, keyFile, tokenFile].every((one) => one === undefined))
    return {
      check,
      state: 'skipped',
      detail: 'nobody is named',
      next: '--cert FILE, --key-file or --token-file',
    }
  try {
    const { leases } = await withBroker(options, (client) => client.leases({ limit: 1 }))
    return {
      check,
      state: 'ok',
      detail: `the broker knows who calls${leases.length > 0 ? '' : '; no lease yet'}`,
    }
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : 'it does not answer'
    const next = thrown instanceof Error && 'next' in thrown ? thrown.next : undefined
    return { check, state: 'bad', detail, ...(typeof next === 'string' ? { next } : {}) }
  }
}
