import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readContract } from '../catalog/index.ts'
import { resolveMode } from '../contract/index.ts'
import { toFailure } from '../primitives/index.ts'
import { type ConnectionOptions, connect, fromEnvironment } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal } from './terminal.ts'

export type DoctorOptions = ConnectionOptions & { readonly contract?: string; readonly data?: string }

type Check = { readonly check: string; readonly state: 'ok' | 'bad' | 'skipped'; readonly detail: string }

/** `sallyport doctor`: everything that can be looked at from here, each with what to do about it. */
export async function doctor(io: Terminal, options: DoctorOptions): Promise<number> {
  const checks = [
    nodeCheck(),
    await contractCheck(options),
    dataCheck(options),
    ambientCheck(),
    await brokerCheck(options),
  ]
  if (io.json) io.out(JSON.stringify({ checks }))
  else
    for (const { check, state, detail } of checks) io.out(`${marks[state]()}  ${check.padEnd(20)} ${detail}`)
  return checks.some(({ state }) => state === 'bad') ? exitCodes.failed[0] : exitCodes.ok[0]
}

const marks = {
  ok: () => paint('green', 'ok     '),
  bad: () => paint('red', 'bad    '),
  skipped: () => paint('gray', 'skipped'),
}

function nodeCheck(): Check {
  const major = Number(process.versions.node.split('.')[0])
  return {
    check: 'node',
    state: major >= 24 ? 'ok' : 'bad',
    detail: `${process.versions.node}${major >= 24 ? '' : '; 24 or newer is needed'}`,
  }
}

async function contractCheck({ contract }: DoctorOptions): Promise<Check> {
  const check = 'contract'
  if (contract === undefined) return { check, state: 'skipped', detail: 'name one with --contract FILE' }
  try {
    const parsed = await readContract(contract)
    const mode = resolveMode(parsed, process.env)
    return { check, state: 'ok', detail: `${contract}, mode ${mode.name}, ${parsed.grants.length} grants` }
  } catch (thrown) {
    return { check, state: 'bad', detail: toFailure(thrown).message }
  }
}

function dataCheck({ data }: DoctorOptions): Check {
  const check = 'data folder'
  if (data === undefined) return { check, state: 'skipped', detail: 'name one with --data DIR' }
  const keys = join(data, 'keys')
  if (!existsSync(keys))
    return { check, state: 'bad', detail: `${keys} is not there; the broker makes it when it first starts` }
  const open = [data, keys].filter((path) => (statSync(path).mode & 0o077) !== 0)
  if (open.length > 0)
    return { check, state: 'bad', detail: `others may enter ${open.join(', ')}; chmod 700 ${open.join(' ')}` }
  return { check, state: 'ok', detail: `${data}, its owner's alone` }
}

/** Names, never values, of what looks like a long-lived secret in this environment. */
function ambientCheck(): Check {
  const names = Object.keys(process.env).filter(
    (name) => /(SECRET|PASSWORD|TOKEN|API_KEY|ACCESS_KEY|PRIVATE_KEY)/.test(name) && !/_FILE$/.test(name),
  )
  if (names.length === 0)
    return { check: 'ambient credentials', state: 'ok', detail: 'none in the environment' }
  return {
    check: 'ambient credentials',
    state: 'bad',
    detail: `${names.sort().join(', ')}; sallyport run passes none of them on`,
  }
}

async function brokerCheck(options: DoctorOptions): Promise<Check> {
  const check = 'broker'
  const { url, dev } = fromEnvironment(options, process.env)
  if (url === undefined && dev === undefined)
    return { check, state: 'skipped', detail: 'name one with --url or SALLYPORT_DEV' }
  try {
    const { client } = connect(options)
    const { leases } = await client.leases({ limit: 1 }).finally(() => client.close())
    return {
      check,
      state: 'ok',
      detail: `answers, and knows who calls${leases.length > 0 ? '' : ' (no lease yet)'}`,
    }
  } catch (thrown) {
    return { check, state: 'bad', detail: thrown instanceof Error ? thrown.message : 'it does not answer' }
  }
}
