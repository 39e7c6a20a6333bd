import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { assemble, restoreBackup } from '../src/catalog/index.ts'
import { Failure, toFailure } from '../src/primitives/index.ts'
import { createFaultyStorage } from '../src/testing/log-storage.ts'
import { agents, makeSite, type Serving, type Site } from '../test/end-to-end/site.ts'
import { type Acknowledged, checkAftermath } from './aftermath.ts'
import { apiContract } from './contract.ts'
import { type FailingDisk, makeFailingDisk } from './failing-disk.ts'
import { type Fault, type FaultOptions, type Row, type Skipped, unlessAny } from './harness.ts'
import { inThisProcess, nobodyTold, placeOf, requestId } from './in-process.ts'
import { highRates } from './provider-site.ts'

const disks = { full, restoring, ioErrors, failing, slow, readOnly, locked, exchanged }

/** What a disk does to a broker: full, failing, slow, read-only, taken by somebody else, or put back as it was before. */
export const disk: Fault = {
  name: 'disk',
  title: 'a store that is full, fails, is slow, read-only, locked, or exchanged for an older copy',
  async run(options) {
    const rows: (Row | Skipped)[] = []
    for (const [name, one] of Object.entries(disks)) {
      options.progress(name)
      const site = await makeSite(apiContract(one === failing || one === slow ? 'fake' : 'jwt'))
      try {
        rows.push(await one(site, options))
      } finally {
        await site.close()
      }
    }
    return rows
  },
}

const wanted = { service: 'orders-api', action: 'read-order', resource: 'order-7' }
const fault = 'disk'

/** Asks once; `true` when it was issued, and what was issued is noted. */
async function ask(serving: Serving, agent: string, acknowledged: Acknowledged): Promise<boolean> {
  const client = serving.client(agent)
  try {
    const answer = await client.request(wanted)
    if (answer.kind === 'issued')
      acknowledged.issued.push({ leaseId: answer.lease_id, receipt: answer.receipt })
    return answer.kind === 'issued'
  } catch (thrown) {
    // Anything but this word would be a broker that does not know what is wrong with it.
    if (Object(thrown).code === 'log_unwritable') return false
    throw thrown
  } finally {
    client.close()
  }
}

/** What the folder holds against what was acknowledged. */
async function look(
  site: Site,
  acknowledged: Acknowledged,
  dataFolder = site.path('data'),
): Promise<readonly string[]> {
  const assembled = await assemble({ ...placeOf(site), dataFolder })
  try {
    return await checkAftermath(assembled, acknowledged)
  } finally {
    await assembled.close()
  }
}

/** A file system in memory of that size, where the data goes; `undefined` where this machine cannot mount one. */
function mountData(site: Site, megabytes: number) {
  const target = site.path('data')
  mkdirSync(target, { mode: 0o700 })
  const mount = (...options: string[]) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', target]).status === 0
  if (!mount(`size=${megabytes}m`, 'mode=0700')) return undefined
  return {
    change: (...options: string[]) => mount('remount', 'mode=0700', ...options),
    // Lazily: a broker that a failed run left behind holds nobody up.
    unmount: () => void spawnSync('umount', ['-l', target]),
  }
}

const cannotMount: Skipped = { fault, skipped: 'this machine cannot mount a file system in memory' }

const refusalsWanted = 30
/** Far more than there is room for: a broker that still says yes then has not noticed. */
const fillMax = 5_000

/** Issues until the disk is full and some time beyond, makes room, and waits until it issues again by itself. */
async function full(site: Site): Promise<Row | Skipped> {
  const data = mountData(site, 3)
  if (!data) return cannotMount
  try {
    const acknowledged = nobodyTold()
    const serving = await site.serve({ words: highRates })
    let refused = 0
    const fill = async (agent: string) => {
      while (refused < refusalsWanted && acknowledged.issued.length < fillMax)
        if (!(await ask(serving, agent, acknowledged))) refused += 1
    }
    await Promise.all(agents.map(fill))
    const before = acknowledged.issued.length
    data.change('size=64m')
    const resumed = await eventually(() => ask(serving, 'agent-7', acknowledged))
    await serving.stop()
    const lost = [
      ...(resumed ? [] : ['it did not resume by itself']),
      ...unlessAny(before, 'issuance was acknowledged before it was full'),
      ...(await look(site, acknowledged)),
    ]
    const told = `${before} issued before, ${acknowledged.issued.length - before} after room was made`
    return { fault, what: 'full (ENOSPC): refused, then resumed', injected: refused, lost, told }
  } finally {
    data.unmount()
  }
}

const leasesOpen = 20
const roomStepBytes = { short: 32_768, long: 4_096 } as const
const roomBytesMax = 1_048_576

/** Restores a backup where there is a little more room each time: until it is enough, the lack of it is named, and nothing is left there. */
async function restoring(site: Site, { length }: FaultOptions): Promise<Row | Skipped> {
  const data = mountData(site, 3)
  if (!data) return cannotMount
  try {
    await issueSome(site, leasesOpen, nobodyTold())
    const { log, close } = await assemble(placeOf(site))
    await close()
    const [backupFile, dataFolder] = [site.path('backup.db'), site.path('data/restored')]
    copyFileSync(site.path('data/sallyport.db'), backupFile)
    for (const name of readdirSync(site.path('data'))) rmSync(site.path(`data/${name}`), { recursive: true })
    const lost: string[] = []
    let [refused, ending] = [0, 0]
    const step = roomStepBytes[length]
    for (let bytes = step; bytes <= roomBytesMax; bytes += step) {
      data.change(`size=${bytes}`)
      const outcome = await restoreBackup({ backupFile, dataFolder, vkey: log.vkey }).catch(toFailure)
      if (!(outcome instanceof Failure)) {
        ending = outcome.leasesEnding
        break
      }
      refused += 1
      lost.push(...unless('option_invalid', outcome.code))
      for (const name of readdirSync(site.path('data'))) lost.push(`${name} was left behind`)
    }
    if (ending !== leasesOpen) lost.push(`${ending} of ${leasesOpen} leases were restored`)
    return {
      fault,
      what: 'full while a backup is restored',
      injected: refused,
      lost,
      told: `${ending} leases restored then`,
    }
  } finally {
    data.unmount()
  }
}

async function eventually(work: () => Promise<boolean>): Promise<boolean> {
  for (let looks = 0; looks < 100; looks += 1) {
    if (await work()) return true
    await pause(100)
  }
  return false
}

const ioRounds = { short: 2, long: 12 } as const

/** After the errors are over; more than one, because the first may be tried by a probe alone. */
const asksAfter = 20

/**
 * Blocks that cannot be written, under load. After an input or output error nothing is issued until the broker is started anew on a file system
 * that was mounted anew: of what is written before, a disk may keep less than it says. What was acknowledged is there then.
 */
async function ioErrors(site: Site, { length }: FaultOptions): Promise<Row | Skipped> {
  const tally = { issued: 0, refused: 0 }
  const lost: string[] = []
  for (let round = 0; round < ioRounds[length]; round += 1) {
    const data = makeFailingDisk(site.path(`round-${round}`))
    if (!data) return cannotMount
    try {
      lost.push(...(await failOnce(site, data, tally)))
    } finally {
      data.close()
    }
  }
  const told = `${ioRounds[length]} disks, ${tally.issued} issued`
  return { fault, what: 'failing (EIO of real blocks) under load', injected: tally.refused, lost, told }
}

async function failOnce(
  site: Site,
  data: FailingDisk,
  tally: { issued: number; refused: number },
): Promise<readonly string[]> {
  const lost: string[] = []
  const acknowledged = nobodyTold()
  const dataFolder = join(data.folder, 'data')
  const serving = await site.serve({ words: [...highRates, '--data', dataFolder] })
  let refused = 0
  const load = agents.map(async (agent) => {
    while (refused < refusalsWanted) if (!(await ask(serving, agent, acknowledged))) refused += 1
  })
  await pause(100 + Math.random() * 400)
  data.fail()
  await Promise.all(load)
  data.heal()
  for (let nth = 0; nth < asksAfter; nth += 1)
    if (await ask(serving, 'agent-7', acknowledged)) lost.push('it issues on a disk that has failed')
  await serving.kill()
  tally.issued += acknowledged.issued.length
  tally.refused += refused
  lost.push(...unlessAny(acknowledged.issued.length, 'issuance was acknowledged before the disk failed'))
  if (!data.remount()) return [...lost, 'the disk cannot be mounted any more']
  return [...lost, ...(await look(site, acknowledged, dataFolder))]
}

const failures = { short: 200, long: 800 } as const
const callersMax = 8

/** Writes that fail without being done, and writes that are done and reported as failed, at any operation of the store. */
async function failing(site: Site, { length }: FaultOptions): Promise<Row> {
  const everything = nobodyTold()
  const world = await inThisProcess(site, (inner) => createFaultyStorage(inner))
  const lost: string[] = []
  for (let round = 0; world.storage.faults() < failures[length]; round += 1) {
    const acknowledged = nobodyTold()
    if (round % 3 === 0) world.storage.loseNextCommitAnswer()
    else world.storage.failAfter(Math.floor(Math.random() * 12))
    await Promise.all(Array.from({ length: callersMax }, () => world.issue(acknowledged)))
    world.storage.heal()
    if (!(await eventually(() => world.assembled.log.probe()))) lost.push('it did not resume by itself')
    await world.assembled.broker.reconcile({ requestId, sweep: true })
    lost.push(...(await checkAftermath(world.assembled, acknowledged, world.standing)))
    everything.issued.push(...acknowledged.issued)
  }
  lost.push(...(await checkAftermath(world.assembled, everything, world.standing)))
  lost.push(...unlessAny(everything.issued.length, 'issuance was acknowledged'))
  await world.assembled.close()
  const told = `${everything.issued.length} issued`
  return {
    fault,
    what: 'failing (EIO), or done and the answer lost',
    injected: world.storage.faults(),
    lost,
    told,
  }
}

/** Below the second and a half that leaves each request within its deadline of two. */
const commitMs = { short: 250, long: 600 } as const

/** A store whose every commit takes its time. */
async function slow(site: Site, { length }: FaultOptions): Promise<Row> {
  const acknowledged = nobodyTold()
  let commits = 0
  const world = await inThisProcess(site, (inner) => ({
    ...inner,
    async commit(batch) {
      commits += 1
      await pause(commitMs[length])
      await inner.commit(batch)
    },
  }))
  await Promise.all(Array.from({ length: 200 }, () => world.issue(acknowledged)))
  const short = acknowledged.issued.length < 200 ? ['not every request was answered'] : []
  const lost = [...short, ...(await checkAftermath(world.assembled, acknowledged, world.standing))]
  await world.assembled.close()
  const told = `${acknowledged.issued.length} issued in ${commits} commits of ${commitMs[length]} ms`
  return { fault, what: 'slow', injected: commits, lost, told }
}

/** Whether a start is refused, and with which code. */
async function refusal(site: Site): Promise<string> {
  try {
    const serving = await site.serve()
    await serving.stop()
    return 'it started'
  } catch (thrown) {
    const words = thrown instanceof Error ? thrown.message : String(thrown)
    return /"code":"([a-z_]+)"/.exec(words)?.[1] ?? words
  }
}

function unless(wantedCode: string, code: string): readonly string[] {
  return code === wantedCode ? [] : [`${wantedCode} was due: ${code}`]
}

async function readOnly(site: Site): Promise<Row | Skipped> {
  const data = mountData(site, 16)
  if (!data) return cannotMount
  try {
    const acknowledged = nobodyTold()
    await issueSome(site, 5, acknowledged)
    if (!data.change('ro')) return { fault, skipped: 'the file system in memory cannot be made read-only' }
    const code = await refusal(site)
    data.change('rw')
    const lost = [...unless('option_invalid', code), ...(await look(site, acknowledged))]
    return { fault, what: 'read-only: does not start', injected: 1, lost, told: '' }
  } finally {
    data.unmount()
  }
}

async function issueSome(
  site: Site,
  count: number,
  acknowledged: Acknowledged,
  end: 'stop' | 'kill' = 'stop',
) {
  const serving = await site.serve()
  for (let nth = 0; nth < count; nth += 1)
    if (!(await ask(serving, 'agent-7', acknowledged))) throw new Error('It does not issue.')
  await serving[end]()
}

/** Whoever has the store keeps it: no second broker starts, nothing else reads or writes it, and while something else has it no broker starts. */
async function locked(site: Site): Promise<Row> {
  const acknowledged = nobodyTold()
  const serving = await site.serve()
  const lost = [...unless('store_locked', await refusal(site))]
  for (const statement of ['SELECT count(*) FROM lease', 'DELETE FROM lease'])
    if (holdStore(site, statement)) lost.push(`somebody else could: ${statement}`)
  if (!(await ask(serving, 'agent-7', acknowledged))) lost.push('the first broker does not issue any more')
  await serving.stop()
  const held = holdStore(site, 'BEGIN IMMEDIATE')
  lost.push(...(held ? unless('store_locked', await refusal(site)) : ['the store cannot be held']))
  held?.close()
  lost.push(...(await look(site, acknowledged)))
  return { fault, what: 'locked by another process', injected: 4, lost, told: '' }
}

/** The store, opened by somebody else with that statement; `undefined` when that is refused. */
function holdStore(site: Site, statement: string): DatabaseSync | undefined {
  const database = new DatabaseSync(site.path('data/sallyport.db'))
  try {
    database.exec(statement)
    return database
  } catch {
    database.close()
    return undefined
  }
}

const endings = {
  short: ['stop', 'kill'],
  long: ['stop', 'kill', 'stop', 'kill', 'stop', 'kill', 'stop', 'kill'],
} as const

/** A store that was exchanged for a copy from before, or taken away, after a stop and after a crash. */
async function exchanged(site: Site, { length }: FaultOptions): Promise<Row> {
  const acknowledged = nobodyTold()
  const lost: string[] = []
  const store = site.path('data/sallyport.db')
  await issueSome(site, 5, acknowledged)
  copyFileSync(store, site.path('older.db'))
  let injected = 0
  for (const end of endings[length]) {
    await issueSome(site, 20, acknowledged, end)
    // What a crash left beside it goes with the store.
    for (const part of ['', '-wal', '-shm'])
      if (existsSync(store + part)) copyFileSync(store + part, site.path(`newest.db${part}`))
    for (const attack of ['older', 'none']) {
      for (const part of ['', '-wal', '-shm']) rmSync(store + part, { force: true })
      if (attack === 'older') copyFileSync(site.path('older.db'), store)
      lost.push(...unless('store_invalid', await refusal(site)))
      injected += 1
    }
    for (const part of ['', '-wal', '-shm']) {
      rmSync(store + part, { force: true })
      if (existsSync(site.path(`newest.db${part}`))) copyFileSync(site.path(`newest.db${part}`), store + part)
      rmSync(site.path(`newest.db${part}`), { force: true })
    }
  }
  lost.push(...(await look(site, acknowledged)))
  return {
    fault,
    what: 'an older copy, or none: does not start',
    injected,
    lost,
    told: 'the newest store starts',
  }
}
