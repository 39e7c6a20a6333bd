import assert from 'node:assert/strict'
import { createLogKey, parseEntry, parseLogKey } from '../audit/index.ts'
import { Failure, toFailure } from '../primitives/index.ts'
import { callerFixture, inTime, requestFixture, type TestBroker } from '../testing/broker.ts'
import { createTestClock } from '../testing/clock.ts'
import { createFakeProvider } from '../testing/fake-provider.ts'
import { openBreakableStore, openBroker } from './broker.fixture.ts'
import type { Caller, IssuedCredential } from './index.ts'
import type { Asker, Filter, LifeCommand, Tenant } from './life-commands.fixture.ts'
import { createLifeModel } from './life-model.fixture.ts'
import { createMortalProcess } from './life-process.fixture.ts'

/** How the credentials of a world end: the provider has to be told, it ends them by itself, or it never knew of them. */
export const worldKinds = ['told', 'by itself', 'local'] as const
export type WorldKind = (typeof worldKinds)[number]
const capabilitiesOf = {
  told: { endsByItself: false },
  'by itself': { endsByItself: true },
  local: { endsByItself: true, mintsLocally: true, revocation: 'eventual', probes: false },
} as const

const signer = parseLogKey(createLogKey('log.example.test/life'))

/** A world in which commands happen, one life after the other. */
export async function createWorld(kind: WorldKind) {
  const clock = createTestClock()
  const { disk, store } = openBreakableStore()
  const fake = createFakeProvider({ clock, capabilities: capabilitiesOf[kind] })
  const isLocal = kind === 'local'
  const model = createLifeModel(clock.now, isLocal ? ['intended', 'live'] : ['intended'])
  const born = () => createMortalProcess(model)
  let process = born()
  let broker: TestBroker = await openBroker({ clock, provider: fake, store, signer, ...process.parts })
  let issued: IssuedCredential[] = []
  let begun: Promise<unknown>[] = []
  let counts = { number: 0, issued: 0, replayed: 0, ended: 0, deaths: 0 }

  /** Waits for the work, or for the death of the process that does it. */
  const within = (work: Promise<unknown>) => inTime(clock, Promise.race([work, process.died]))
  const ask = async (one: Extract<LifeCommand, { kind: 'request' | 'begin' }>) => {
    const caller = callerOf({ role: 'agent', ...one })
    const key = one.key > 0 ? `life-${counts.number}-key-${one.key}` : undefined
    const { answer, replayed } = await broker.broker.issue(
      {
        caller,
        requestId: 'r',
        request: { ...requestFixture, durationSeconds: one.seconds },
        ...(key === undefined ? {} : { idempotencyKey: key }),
      },
      new AbortController().signal,
    )
    if (answer.kind !== 'issued') return model.denied()
    const { seconds } = one
    model.answered({ caller, lease: answer.lease, seconds, replayed, ...(key === undefined ? {} : { key }) })
    counts.replayed += replayed ? 1 : 0
    issued.push(answer)
  }
  const revoke = async (by: Asker, nth: number) => {
    const { leases } = await store.leases.list({}, { limit: 6 })
    const lease = leases[nth]
    if (!lease) return
    const caller = callerOf(by)
    const asked = model.asked(caller, { id: lease.id })
    const came = await broker.broker.revoke({ caller, requestId: 'r', id: lease.id }).catch(toFailure)
    asked.answered()
    const told = 'proof' in came ? came.proof : came.code
    assert.equal(told === 'lease_unknown', !model.reaches(caller, lease), `${by.role}: ${told}`)
    // Who is told that it is over can rely on it.
    if (told === 'refused' || told === 'unproven') await demandOver(lease.id)
  }
  const demandOver = async (id: string) => {
    const state = (await store.leases.find(id))?.state ?? 'nothing'
    assert.ok(['ended', 'failed'].includes(state), `who revoked was told that it is over, and it is ${state}`)
  }
  const revokeWhere = async (by: Asker, filter: Filter) => {
    const caller = callerOf(by)
    const asked = model.asked(caller, filter)
    const came = await broker.broker.revokeWhere({ caller, requestId: 'r', filter }).catch(toFailure)
    asked.answered()
    const refused = 'code' in came && came.code === 'not_permitted'
    if ('code' in came && came.code === 'log_unwritable') return
    const beyond =
      by.role !== 'platform' &&
      ((filter.tenant ?? caller.tenant) !== caller.tenant ||
        (by.role === 'agent' && (filter.agent ?? caller.agent) !== caller.agent))
    assert.equal(refused, beyond, `${by.role} of ${by.tenant} ended ${JSON.stringify(filter)}`)
  }
  const turn = async (sweep: boolean) => {
    const began = clock.now()
    await broker.broker.reconcile({ requestId: 'r', sweep })
    model.turned(began)
  }
  const begin = (one: Extract<LifeCommand, { kind: 'request' | 'begin' }>): Promise<void> => {
    begun.push(ask(one).catch(unlessFailure))
    return new Promise((resolve) => setImmediate(resolve))
  }
  const doIt = (one: LifeCommand): Promise<unknown> | undefined => {
    switch (one.kind) {
      case 'request':
        return within(ask(one))
      case 'begin':
        return begin(one)
      case 'revoke':
        return within(revoke(one.by, one.nth))
      case 'revoke-where':
        return within(revokeWhere(one.by, one.filter))
      case 'pass':
        return clock.advance(one.milliseconds)
      case 'turn':
        return within(turn(one.listing))
      case 'script':
        return void (isLocal || fake.enqueue({ [one.of]: one.steps }))
      case 'disk':
        disk.broken = one.broken
        return undefined
      case 'crash':
        return void process.kill()
      case 'die':
        return void process.dieAt(one.at, one.nth)
    }
  }
  const perform = async (one: LifeCommand): Promise<void> => {
    try {
      await doIt(one)
    } catch (thrown) {
      unlessFailure(thrown)
    }
    if (process.isDead()) await restart()
  }
  const restart = async () => {
    counts.deaths += 1
    begun = []
    // A write that it had begun may still come to its end, but not after its successor has the store: that is locked.
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    const { broken } = disk
    disk.broken = false
    process = born()
    broker = await broker.restart(process.parts)
    disk.broken = broken
  }

  const alive = () => (isLocal ? [] : fake.planted(new AbortController().signal))
  /** Whatever lives at the provider has a lease that says so, or that it may. */
  const check = async () => {
    assert.deepEqual(model.wrong, [])
    for (const leaseId of await alive()) {
      const state = (await store.leases.find(leaseId))?.state ?? 'nothing'
      assert.ok(['intended', 'live', 'ending'].includes(state), `a credential lives whose lease is ${state}`)
    }
  }
  const unfinished = async () => {
    const { intended, live, ending } = await store.leases.count()
    return intended + live + ending
  }
  /** The world is well again: everything that was asked for comes to its end, and what is durable is what the model says. */
  const finish = async () => {
    disk.broken = false
    process.dieAt('before a write', Number.POSITIVE_INFINITY)
    await inTime(clock, Promise.all(begun))
    // What is left of the scripts may fail one try for each of its steps.
    for (let round = 0; round < 60 && (await unfinished()) > 0; round += 1) {
      await within(turn(true)).catch(unlessFailure)
      await clock.advance(3_600_000)
      await check()
    }
    assert.equal(await unfinished(), 0)
    assert.deepEqual(await alive(), [])
    for (const lease of model.leases()) assert.deepEqual(await store.leases.find(lease.id), lease)
    for (const { lease, receipt } of issued) {
      const [bytes] = await broker.log.entries(receipt.index, 1)
      const entry = parseEntry(bytes ?? Buffer.of())
      assert.deepEqual([entry?.event, entry?.lease_id], ['credential_issued', lease.id])
    }
    const life = { ...counts, number: counts.number + 1, issued: issued.length, ended: model.leases().length }
    counts = { number: life.number, issued: 0, replayed: 0, ended: 0, deaths: 0 }
    issued = []
    begun = []
    model.forget()
    return life
  }
  return { perform, check, finish }
}

function callerOf({ role, tenant, agent }: { role: Asker['role']; tenant: Tenant; agent: number }): Caller {
  return callerFixture(`agent-${agent}`, { tenant, roles: role === 'agent' ? [] : [role] })
}

/** What a caller may be told is nobody's fault; what a check says is, and work that never ends. */
function unlessFailure(thrown: unknown): void {
  if (!(thrown instanceof Failure)) throw thrown
}
