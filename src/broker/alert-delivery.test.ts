import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createTestClock } from '../testing/clock.ts'
import { alertLimits, deliverInBackground, type LostAlert, type SendAlert } from './alert-delivery.ts'
import type { Alert } from './ports/index.ts'

test('an alert is sent after raise has returned', async () => {
  const { alerter, sent } = start(async () => 'delivered')
  alerter.raise(alertOf('one'))
  assert.deepEqual(sent, [])
  await turn()
  assert.deepEqual(sent, ['one'])
  assert.deepEqual(alerter.stats(), { delivered: 1, failed: 0, dropped: 0, repeated: 0, waiting: 0 })
})

test('an alert that is not taken is sent again, slower and slower, and is delivered at last', async () => {
  const { alerter, sent, clock } = start(async (_, attempt) => {
    if (attempt <= 3) throw new Error('busy')
    return 'delivered'
  })
  alerter.raise(alertOf('one'))
  await turn()
  const pauses = []
  for (let attempts = 1; attempts <= 3; attempts += 1) {
    const before = clock.now()
    while (sent.length === attempts) await clock.advance(10)
    pauses.push(clock.now() - before)
  }
  const bounds = [0, 1, 2].map((step) => alertLimits.retryBaseMs * 2 ** step)
  for (const [step, pause] of pauses.entries()) {
    const bound = bounds[step] ?? 0
    assert.ok(pause >= bound / 2 && pause <= bound + 10, `${pause} ms at step ${step}`)
  }
  assert.equal(alerter.stats().delivered, 1)
})

test('after the last try an alert has failed, and the next one is sent', async () => {
  const { alerter, sent, clock } = start(async (alert) => {
    if (alert.labels['service'] === 'hopeless') throw new Error('busy')
    return 'delivered'
  })
  alerter.raise(alertOf('hopeless'))
  alerter.raise(alertOf('next'))
  await clock.advance(alertLimits.attemptsMax * alertLimits.retryCeilingMs)
  assert.equal(sent.filter((service) => service === 'hopeless').length, alertLimits.attemptsMax)
  assert.deepEqual(alerter.stats(), { delivered: 1, failed: 1, dropped: 0, repeated: 0, waiting: 0 })
})

test('an alert that is refused is not sent again', async () => {
  const { alerter, sent, clock } = start(async () => ({ refused: 'It answered 404.' }))
  alerter.raise(alertOf('one'))
  await clock.advance(alertLimits.retryCeilingMs)
  assert.deepEqual(sent, ['one'])
  assert.equal(alerter.stats().failed, 1)
})

test('a target that never answers is left after the timeout and tried again', async () => {
  const aborted: unknown[] = []
  const { alerter, sent, clock } = start((_, attempt, signal) => {
    if (attempt > 1) return Promise.resolve('delivered')
    signal.addEventListener('abort', () => aborted.push(signal.reason))
    return new Promise(() => {})
  })
  alerter.raise(alertOf('one'))
  await clock.advance(alertLimits.attemptMs - 1)
  assert.deepEqual(aborted, [])
  await clock.advance(1)
  assert.equal(aborted.length, 1)
  await clock.advance(alertLimits.retryBaseMs)
  assert.equal(sent.length, 2)
  assert.equal(alerter.stats().delivered, 1)
})

test('the queue has a limit; what is beyond it is dropped and counted, and does not count as said', async () => {
  const gate = Promise.withResolvers<'delivered'>()
  const { alerter } = start(() => gate.promise)
  for (let place = 0; place <= alertLimits.queueMax; place += 1) alerter.raise(alertOf(`service-${place}`))
  assert.equal(alerter.stats().dropped, 1)
  assert.equal(alerter.stats().waiting, alertLimits.queueMax)
  gate.resolve('delivered')
  await turn(alertLimits.queueMax)
  alerter.raise(alertOf(`service-${alertLimits.queueMax}`))
  await turn()
  assert.deepEqual(alerter.stats(), {
    delivered: alertLimits.queueMax + 1,
    failed: 0,
    dropped: 1,
    repeated: 0,
    waiting: 0,
  })
})

test('the same alert is sent once a minute, whatever its summary; another severity is another alert', async () => {
  const { alerter, sent, clock } = start(async () => 'delivered')
  alerter.raise(alertOf('one'))
  alerter.raise({ ...alertOf('one'), summary: 'again', startsAt: 7 })
  alerter.raise({ ...alertOf('one'), severity: 'warning' })
  await clock.advance(alertLimits.repeatMs - 1)
  alerter.raise(alertOf('one'))
  await clock.advance(1)
  assert.deepEqual(alerter.stats(), { delivered: 2, failed: 0, dropped: 0, repeated: 2, waiting: 0 })
  alerter.raise(alertOf('one'))
  await turn()
  assert.equal(sent.length, 3)
})

test('the order of the labels makes no other alert', async () => {
  const { alerter } = start(async () => 'delivered')
  alerter.raise({ ...alertOf('one'), labels: { a: '1', b: '2' } })
  alerter.raise({ ...alertOf('one'), labels: { b: '2', a: '1' } })
  assert.equal(alerter.stats().repeated, 1)
})

test('only so many alerts are remembered: the oldest is forgotten first', async () => {
  const { alerter } = start(async () => 'delivered')
  for (let place = 0; place <= alertLimits.recentMax; place += 1) {
    alerter.raise(alertOf(`service-${place}`))
    if (place % alertLimits.queueMax === 0) await turn(alertLimits.queueMax)
  }
  await turn(alertLimits.queueMax)
  alerter.raise(alertOf('service-1'))
  assert.equal(alerter.stats().repeated, 1)
  alerter.raise(alertOf('service-0'))
  assert.equal(alerter.stats().repeated, 1)
  assert.equal(alerter.stats().dropped, 0)
})

test('close waits for what is under way, and what comes later is dropped', async () => {
  const gate = Promise.withResolvers<'delivered'>()
  const { alerter } = start(() => gate.promise)
  alerter.raise(alertOf('one'))
  const closing = alerter.close()
  alerter.raise(alertOf('late'))
  gate.resolve('delivered')
  await closing
  assert.deepEqual(alerter.stats(), { delivered: 1, failed: 0, dropped: 1, repeated: 0, waiting: 0 })
  await alerter.close()
})

test('close does not wait for a target that is down: what is left is dropped and counted', async () => {
  const { alerter, clock } = start(() => new Promise(() => {}))
  for (const service of ['one', 'two', 'three']) alerter.raise(alertOf(service))
  await turn()
  const closing = alerter.close()
  await clock.advance(alertLimits.closeMs)
  await closing
  assert.deepEqual(alerter.stats(), { delivered: 0, failed: 0, dropped: 3, repeated: 0, waiting: 0 })
  assert.equal(clock.sleeping, 0, 'no timer is left')
})

test('close does not wait out a pause between two tries', async () => {
  const { alerter, clock } = start(() => Promise.reject(new Error('busy')))
  alerter.raise(alertOf('one'))
  await clock.advance(alertLimits.retryCeilingMs / 4)
  const closing = alerter.close()
  await clock.advance(alertLimits.closeMs)
  await closing
  assert.equal(alerter.stats().dropped, 1)
  assert.equal(clock.sleeping, 0)
})

test('an alert that was lost is told with the reason, and the same one once a minute', async () => {
  const answers: Readonly<Record<string, () => ReturnType<SendAlert>>> = {
    fine: async () => 'delivered',
    refused: async () => ({ refused: 'It answered 404.' }),
    down: async () => {
      const cause = Object.assign(new Error('connect to 127.0.0.1:9'), { code: 'ECONNREFUSED' })
      throw new TypeError('fetch failed', { cause })
    },
  }
  const { alerter, lost, clock } = start((alert) => answers[alert.labels['service'] ?? '']?.() ?? never)
  for (const service of ['fine', 'refused', 'down']) alerter.raise(alertOf(service))
  await clock.advance(alertLimits.attemptsMax * alertLimits.retryCeilingMs)
  assert.deepEqual(lost, [
    'refused failed: It answered 404.',
    'down failed: 10 tries: ECONNREFUSED connect to 127.0.0.1:9',
  ])
  alerter.raise(alertOf('hanging'))
  await clock.advance(alertLimits.attemptsMax * (alertLimits.attemptMs + alertLimits.retryCeilingMs))
  assert.deepEqual(lost.splice(2), ['hanging failed: 10 tries: no answer within 5000 ms'])
  for (let place = 0; place < alertLimits.queueMax; place += 1) alerter.raise(alertOf(`service-${place}`))
  for (let times = 0; times < 5; times += 1) alerter.raise(alertOf('late'))
  assert.equal(alerter.stats().dropped, 5)
  assert.deepEqual(lost.slice(2), ['late dropped: 100 alerts wait already'])
  await clock.advance(alertLimits.repeatMs)
  alerter.raise(alertOf('late'))
  assert.deepEqual(lost.slice(3), ['late dropped: 100 alerts wait already'])
})

test('what is dropped because the process ends is told too', async () => {
  const { alerter, lost, clock } = start(() => never)
  for (const service of ['one', 'two']) alerter.raise(alertOf(service))
  await turn()
  const closing = alerter.close()
  alerter.raise(alertOf('three'))
  await clock.advance(alertLimits.closeMs)
  await closing
  assert.deepEqual(
    lost.toSorted(),
    ['one', 'three', 'two'].map((one) => `${one} dropped: the process ends`),
  )
})

const never = new Promise<never>(() => {})

type Answer = (alert: Alert, attempt: number, signal: AbortSignal) => ReturnType<SendAlert>

function start(answer: Answer) {
  const clock = createTestClock()
  const sent: string[] = []
  const send: SendAlert = (alert, signal) => {
    sent.push(alert.labels['service'] ?? '')
    return answer(alert, sent.length, signal)
  }
  const lost: string[] = []
  const onLost = ({ alert, outcome, why }: LostAlert) =>
    void lost.push(`${alert.labels['service']} ${outcome}: ${why}`)
  return { alerter: deliverInBackground(send, { clock, random: randomBytes, onLost }), clock, sent, lost }
}

function alertOf(service: string): Alert {
  return {
    name: 'Credential Minting Failure',
    severity: 'critical',
    summary: 'The provider did not mint.',
    labels: { service },
    startsAt: 0,
  }
}

async function turn(times = 1): Promise<void> {
  for (let turns = 0; turns < times + 2; turns += 1) await setImmediate()
}
