import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startTestbed, type Testbed } from '../src/adapters/providers/postgres/testbed.fixture.ts'
import { assemble } from '../src/catalog/index.ts'
import { makeSite, root } from '../test/end-to-end/site.ts'
import { buildEntry } from '../tools/build.ts'
import { type Acknowledged, checkAftermath, type Standing, warden } from './aftermath.ts'
import { killContract } from './contract.ts'
import { type EnforcingAws, startEnforcingAws } from './enforcing-aws.ts'
import { type Fault, type FaultOptions, type Row, type Skipped, unlessAny } from './harness.ts'
import { nobodyTold, placeOf, requestId } from './in-process.ts'
import { type Ground, loadUntilKilled } from './kill-load.ts'
import { points } from './tripwire.ts'

const kills = { short: 100, long: 1000 } as const
/** In one data folder, so that looking at all of it stays quick. */
const killsPerFolder = 100
const passagesMax = 12
/** After so many kills everything that was ever acknowledged is looked at again, and what lives is revoked. */
const thoroughEvery = 10
/** The longest life of a session that nothing but its date ends. */
const datedSeconds = 2

/** `kill -9` of the broker's own process at every boundary between two steps, under concurrent load. */
export const kill: Fault = {
  name: 'kill',
  title: 'kill -9 at every step of the flow, under load, against a real PostgreSQL and an AWS that enforces',
  async run(options) {
    const testbed = await startTestbed({ settings: {} })
    if ('skip' in testbed) return [{ fault: 'kill', skipped: testbed.skip }] satisfies Skipped[]
    const aws = await startEnforcingAws()
    // Within the package: the program looks for its files above itself.
    const cache = join(root, 'node_modules/.cache')
    mkdirSync(cache, { recursive: true })
    const built = mkdtempSync(join(cache, 'kill-'))
    // Also after a signal, which runs no `finally`.
    process.once('exit', () => rmSync(built, { recursive: true, force: true }))
    try {
      // Bundled it starts in a fifth of the time.
      const program = join(built, 'broker.js')
      await buildEntry({ source: 'faults/broker.ts', target: program, kind: 'program' })
      const world = { program, testbed, ...('skip' in aws ? {} : { aws }) }
      const row = await killOften(world, options)
      return 'skip' in aws ? [row, { fault: 'kill', skipped: `against AWS: ${aws.skip}` }] : [row]
    } finally {
      if (!('skip' in aws)) await aws.close()
      await testbed.provider.close?.()
      await testbed.server.stop()
    }
  },
}

type World = { readonly program: string; readonly testbed: Testbed; readonly aws?: EnforcingAws }

type Tally = { injected: number; issued: number; revoked: number; orphans: number; readonly lost: string[] }

async function killOften(world: World, { length, progress }: FaultOptions): Promise<Row> {
  const tally: Tally = { injected: 0, issued: 0, revoked: 0, orphans: 0, lost: [] }
  while (tally.injected < kills[length]) {
    progress(`${tally.injected} of ${kills[length]}`)
    await killInOneFolder(world, tally)
  }
  const { injected } = tally
  const lost = [
    ...tally.lost,
    ...unlessAny(tally.issued, 'issuance was acknowledged'),
    ...unlessAny(tally.revoked, 'revocation was acknowledged'),
    ...unlessAny(tally.orphans, 'orphan was left by a kill'),
  ]
  const told = `${tally.issued} issued and ${tally.revoked} revoked were acknowledged, ${tally.orphans} orphans were found and ended`
  const where = world.aws ? 'PostgreSQL, AWS' : 'PostgreSQL'
  return { fault: 'kill', what: `${points.length} points of the flow (${where})`, injected, lost, told }
}

async function killInOneFolder(world: World, tally: Tally): Promise<void> {
  const site = await makeSite(killContract(world.aws))
  const everything = nobodyTold()
  try {
    for (let nth = 1; nth <= killsPerFolder; nth += 1) {
      const point = points[tally.injected % points.length] ?? 'before mint'
      const passage = 1 + Math.floor(Math.random() * passagesMax)
      const acknowledged = nobodyTold()
      const ground = groundOf(world, site)
      await loadUntilKilled(ground, { point, passage, acknowledged })
      everything.issued.push(...acknowledged.issued)
      for (const id of acknowledged.revoked) everything.revoked.add(id)
      const found = await restart(world, ground, acknowledged)
      if (nth % thoroughEvery === 0) found.lost.push(...(await lookAtAll(world, ground, everything)))
      tally.injected += 1
      tally.orphans += found.orphans
      tally.lost.push(...found.lost.map((what) => `${point} (passage ${passage}): ${what}`))
    }
    await pause(datedSeconds * 1000)
    tally.lost.push(...(await unended(world)))
  } finally {
    await site.close()
  }
  tally.issued += everything.issued.length
  tally.revoked += everything.revoked.size
}

function groundOf({ program, testbed, aws }: World, site: Ground['site']): Ground {
  const orders = { service: 'orders-db', action: 'read-table', resource: 'public.orders', duration: '15m' }
  const list = { service: 'cloud', action: 'list-bucket', resource: 'bucket-123', duration: '15m' }
  // Some end by themselves while nobody is there to end them.
  const ofAws = [
    list,
    list,
    { ...list, duration: '2s' },
    { ...list, service: 'dated-cloud', duration: `${datedSeconds}s` },
  ]
  return {
    site,
    program,
    environment: {
      DB_URL: testbed.brokerUrl,
      NODE_COMPILE_CACHE: dirname(program),
      ...aws?.environment(),
    },
    wanted: [orders, orders, orders, { ...orders, duration: '1s' }, ...(aws ? ofAws : [])],
  }
}

/** Over the same folder: one turn of the reconciler, and then what was done since the last kill is looked at. */
async function restart(world: World, { site, environment }: Ground, acknowledged: Acknowledged) {
  const assembled = await assemble(placeOf(site, environment))
  try {
    const { orphans, pending, unasked } = await assembled.broker.reconcile({ requestId, sweep: true })
    const lost = [...(await checkAftermath(assembled, acknowledged, () => standing(world)))]
    if (pending > 0) lost.push(`the turn left ${pending} pending`)
    if (unasked.length > 0) lost.push(`the turn could not ask ${unasked.join(', ')}`)
    return { orphans, lost }
  } finally {
    await assembled.close()
  }
}

/** All that was ever acknowledged; then everything is revoked, and nothing works but what its date will end. */
async function lookAtAll(
  world: World,
  { site, environment }: Ground,
  everything: Acknowledged,
): Promise<readonly string[]> {
  const lost: string[] = []
  const assembled = await assemble(placeOf(site, environment))
  try {
    lost.push(...(await checkAftermath(assembled, everything, () => standing(world))))
    await assembled.broker.revokeWhere({ caller: warden, filter: {}, requestId })
    lost.push(...(await unended(world)))
  } finally {
    await assembled.close()
  }
  await world.aws?.changeRole()
  writeFileSync(site.path('sallyport.yaml'), killContract(world.aws))
  return lost
}

/** What works although everything was revoked, or is past its date. */
async function unended(world: World): Promise<readonly string[]> {
  const { works, bounded } = await standing(world)
  return [...works].filter((id) => !bounded.has(id)).map((id) => `${id} works, although all were revoked`)
}

async function standing({ testbed, aws }: World): Promise<Standing> {
  const rows = await testbed.admin("SELECT rolname FROM pg_roles WHERE rolname LIKE 'lse\\_%'")
  const roles = rows.map((row) => String(Object(row).rolname))
  const sessions = await aws?.standing()
  return { works: new Set([...roles, ...(sessions?.works ?? [])]), bounded: sessions?.bounded ?? new Set() }
}
