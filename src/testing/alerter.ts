import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Alert, Alerter } from '../broker/index.ts'

/**
 * The compulsory suite of the Alerter port. A sink's own test file calls it once, with a target that really receives:
 *
 *     alerterConformance('webhook', async () => ({ alerter, received, breakTarget, close }))
 */
export function alerterConformance(
  name: string,
  makeSubject: () => Promise<AlerterSubject | { readonly skip: string }>,
) {
  describe(`${name} keeps the alerter port's promises`, { timeout: 30_000 }, () => {
    let made: AlerterSubject | { readonly skip: string } | undefined
    before(async () => {
      made = await makeSubject()
    })
    after(async () => {
      if (made && !('skip' in made)) await made.close?.()
    })
    for (const [sentence, promise] of Object.entries(promises))
      test(sentence, { timeout: 15_000 }, async (context) => {
        if (!made) throw new Error('The subject was not made.')
        if ('skip' in made) return context.skip(made.skip)
        await promise(made)
      })
  })
}

export type AlerterSubject = {
  readonly alerter: Alerter
  /** What has come to the target so far, in any order. */
  received(): Promise<readonly ReceivedAlert[]>
  /** From now on the target cannot be reached. */
  breakTarget(): Promise<void>
  close?(): Promise<void>
}

export type ReceivedAlert = Pick<Alert, 'labels' | 'summary'> & {
  readonly name: string
  readonly severity: string
}

/** An alerter that keeps what was raised, for tests of those who raise. */
export interface RecordingAlerter extends Alerter {
  readonly alerts: readonly Alert[]
}

export function createRecordingAlerter(): RecordingAlerter {
  const alerts: Alert[] = []
  return { alerts, raise: (alert) => void alerts.push(alert) }
}

// The order matters: the last one breaks the target.
const promises: Readonly<Record<string, (subject: AlerterSubject) => Promise<void>>> = {
  async 'an alert arrives with its name, severity, summary and labels'(subject) {
    const alert = alertOf({ service: 'orders', tenant: 'acme' })
    assert.equal(subject.alerter.raise(alert), undefined)
    const { name, severity, summary, labels } = alert
    const arrived = await arrival(subject, alert)
    assert.deepEqual(
      [arrived.name, arrived.severity, arrived.summary, arrived.labels],
      [name, severity, summary, labels],
    )
  },

  async 'alerts that differ in one label alone both arrive'(subject) {
    const alerts = ['one', 'two'].map((provider) => alertOf({ service: 'differing', provider }))
    for (const alert of alerts) subject.alerter.raise(alert)
    for (const alert of alerts) await arrival(subject, alert)
  },

  async 'text arrives as it was written'(subject) {
    const alert = alertOf({ service: 'a "quoted" \\ <b>word</b>, ключ, 鍵, {{ template }}' })
    subject.alerter.raise(alert)
    assert.deepEqual((await arrival(subject, alert)).labels, alert.labels)
  },

  async 'a target that cannot be reached neither throws nor delays'(subject) {
    await subject.breakTarget()
    for (let turn = 0; turn < 1000; turn += 1) subject.alerter.raise(alertOf({ service: `broken-${turn}` }))
  },
}

function alertOf(labels: Readonly<Record<string, string>>): Alert {
  return {
    name: 'Credential Minting Failure',
    severity: 'critical',
    summary: 'The provider orders did not mint in 4 tries.',
    labels,
    startsAt: Date.now(),
  }
}

const looksMax = 100
const lookPauseMilliseconds = 100

async function arrival(subject: AlerterSubject, { labels }: Alert): Promise<ReceivedAlert> {
  const wanted = sorted(labels)
  for (let look = 1; look <= looksMax; look += 1) {
    const found = (await subject.received()).find((one) => sorted(one.labels) === wanted)
    if (found) return found
    await pause(lookPauseMilliseconds)
  }
  return assert.fail(`the alert with ${wanted} did not arrive`)
}

function sorted(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort())
}
