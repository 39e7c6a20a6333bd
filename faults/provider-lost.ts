import { systemClock } from '../src/catalog/index.ts'
import { Failure } from '../src/primitives/index.ts'
import { createFakeProvider, type FakeStep } from '../src/testing/fake-provider.ts'
import { makeSite } from '../test/end-to-end/site.ts'
import { checkAftermath } from './aftermath.ts'
import { apiContract } from './contract.ts'
import { type FaultOptions, type Row, unlessAny } from './harness.ts'
import { inThisProcess, nobodyTold, requestId } from './in-process.ts'
import { tally } from './provider-site.ts'

const lostAnswers = { short: 100, long: 2_000 } as const
const unreachable = new Failure('provider_unreachable', 'The connection dropped.')
const steps: readonly FakeStep[] = [
  { kind: 'drop', failure: unreachable },
  { kind: 'drop', failure: new Failure('provider_timeout', 'The answer was lost.') },
  { kind: 'drop', failure: new Failure('provider_answer_invalid', 'The answer was cut.') },
  { kind: 'drop-and-hang' },
]

/** It mints, and nobody gets the answer: what was minted dies within one turn, whatever the retries did. */
export async function losingAnswers({ length, progress }: FaultOptions): Promise<Row> {
  const site = await makeSite(apiContract('fake'))
  const fake = createFakeProvider({ clock: systemClock })
  const acknowledged = nobodyTold()
  const came: string[] = []
  const lost: string[] = []
  let enqueued = 0
  try {
    while (fake.mints < lostAnswers[length]) {
      progress(`answers lost: ${fake.mints}`)
      // Each round is a new process in miniature: its breaker has not seen the failures of the round before.
      const world = await inThisProcess(site, (inner) => inner, fake)
      const missing = stepsPerRound - (enqueued - Math.min(enqueued, fake.mints))
      fake.enqueue({ mint: Array.from({ length: missing }, anyStep) })
      enqueued += missing
      came.push(...(await Promise.all([world.issue(acknowledged), world.issue(acknowledged)])))
      await world.assembled.broker.reconcile({ requestId, sweep: true })
      lost.push(...(await checkAftermath(world.assembled, acknowledged, world.standing)))
      await world.assembled.close()
    }
  } finally {
    await site.close()
  }
  const injected = Math.min(enqueued, fake.mints)
  lost.push(...unlessAny(acknowledged.issued.length, 'issuance was acknowledged in the end'))
  return { fault: 'provider', what: 'mints, and the answer is lost', injected, lost, told: tally(came) }
}

/** Fewer than two requests try in a row, so that some of them are issued in the end. */
const stepsPerRound = 4

function anyStep(): FakeStep {
  return steps[Math.floor(Math.random() * steps.length)] ?? { kind: 'work' }
}
