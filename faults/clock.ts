import { setTimeout as pause } from 'node:timers/promises'
import { clockBehindMsMax, systemClock } from '../src/catalog/index.ts'
import { createFakeProvider } from '../src/testing/fake-provider.ts'
import { makeSite, type Site } from '../test/end-to-end/site.ts'
import { apiContract } from './contract.ts'
import type { Fault, FaultOptions, Row } from './harness.ts'
import { inThisProcess, requestId } from './in-process.ts'

/** Sets the wall clock of a broker's process, while leases live and while it is stopped. */
export const clock: Fault = {
  name: 'clock',
  title: 'the wall clock is set both ways, by minutes and by days',
  run: async (options) => [await whileLeasesLive(options), await whileStopped()],
}

const minuteMs = 60_000
const dayMs = 86_400_000
const jumpsMs = [minuteMs, -minuteMs, 90 * minuteMs, -90 * minuteMs, dayMs, -dayMs, 30 * dayMs, -30 * dayMs]
const rounds = { short: 1, long: 5 } as const

const leaseSeconds = 2
/** What the page says: a lease ends within this after its time, and never before it. */
const skewMs = 1_500
const leasesEach = 10

const caller = {
  plane: 'machine',
  tenant: 'acme',
  agent: 'agent-7',
  roles: [],
  method: 'certificate',
  subject: 'agent-7',
} as const

type Broker = Awaited<ReturnType<typeof inThisProcess>>

async function whileLeasesLive({ length, progress }: FaultOptions): Promise<Row> {
  const lost: string[] = []
  const jumps = Array.from({ length: rounds[length] }, () => jumpsMs).flat()
  await atSite(async (site) => {
    const provider = createFakeProvider({ clock: systemClock, capabilities: { endsByItself: false } })
    const broker = await inThisProcess(site, (inner) => inner, provider)
    const stop = new AbortController()
    const turning = turn(broker, stop.signal)
    try {
      for (const [index, jump] of jumps.entries()) {
        progress(`jump ${index + 1} of ${jumps.length}`)
        lost.push(...(await throughJump(broker, jump)))
      }
    } finally {
      stop.abort()
      await turning
      await broker.assembled.close()
    }
  })
  const told = `${jumps.length * leasesEach} leases of ${leaseSeconds} s, none over ${skewMs} ms late`
  return { fault: 'clock', what: 'set while leases live', injected: jumps.length, lost, told }
}

/** Opens leases, sets the clock in the middle of their life, and looks shortly before and after their end. */
async function throughJump(broker: Broker, jumpMs: number): Promise<readonly string[]> {
  const began = performance.now()
  for (let index = 0; index < leasesEach; index += 1) await issue(broker)
  const opened = performance.now()
  const ids = [...broker.provider.live.keys()]
  const restore = setWallClock(jumpMs)
  try {
    await pause(began + leaseSeconds * 1000 - 300 - performance.now())
    const early = ids.filter((id) => !broker.provider.live.has(id))
    await pause(opened + leaseSeconds * 1000 + skewMs - performance.now())
    const late = ids.filter((id) => broker.provider.live.has(id))
    return [
      ...early.map((id) => `${id} died early after a jump of ${jumpMs} ms`),
      ...late.map((id) => `${id} lived on after a jump of ${jumpMs} ms`),
      ...(ids.length === leasesEach ? [] : [`only ${ids.length} leases were opened`]),
    ]
  } finally {
    restore()
  }
}

async function issue(broker: Broker): Promise<void> {
  const request = {
    service: 'orders-api',
    action: 'read-order',
    resource: 'order-7',
    durationSeconds: leaseSeconds,
  }
  await broker.assembled.broker.issue({ caller, requestId, request }, new AbortController().signal)
}

async function turn(broker: Broker, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await broker.assembled.broker.reconcile({ requestId, sweep: false })
    await pause(200)
  }
}

function setWallClock(jumpMs: number): () => void {
  const real = Date.now
  Date.now = () => real() + jumpMs
  return () => {
    Date.now = real
  }
}

/** A clock that was set back before a start would let leases live longer: the broker must not start. The next right one must. */
async function whileStopped(): Promise<Row> {
  const lost: string[] = []
  await atSite(async (site) => {
    const first = await site.serve()
    await first
      .client('agent-7')
      .request({ service: 'orders-api', action: 'read-order', resource: 'order-7' })
    await first.stop()
    const backward = await startAt(site, -(clockBehindMsMax + minuteMs))
    if (backward !== 'clock_behind') lost.push(`set back by two minutes it was ${backward}`)
    const within = await startAt(site, -clockBehindMsMax / 2)
    if (within !== 'started') lost.push(`set back by half a minute it was ${within}`)
    const forward = await startAt(site, dayMs)
    if (forward !== 'started') lost.push(`set on by a day it was ${forward}`)
  }, 'jwt')
  return {
    fault: 'clock',
    what: 'set while it is stopped',
    injected: 3,
    lost,
    told: 'set back too far it does not start',
  }
}

/** Starts `serve` under a wall clock that is off by so much; resolves to `started`, or to the code of its refusal. */
async function startAt(site: Site, offsetMs: number): Promise<string> {
  const preload = `data:text/javascript,const real=Date.now;Date.now=()=>real()+(${offsetMs})`
  try {
    const serving = await site.serve({ environment: { NODE_OPTIONS: `--import=${JSON.stringify(preload)}` } })
    await serving.stop()
    return 'started'
  } catch (thrown) {
    const words = thrown instanceof Error ? thrown.message : String(thrown)
    return words.includes('clock_behind') ? 'clock_behind' : words
  }
}

async function atSite(work: (site: Site) => Promise<void>, kind: 'fake' | 'jwt' = 'fake'): Promise<void> {
  const site = await makeSite(apiContract(kind))
  try {
    await work(site)
  } finally {
    await site.close()
  }
}
