import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../client/src/index.ts'
import { makeSite, type Serving } from '../test/end-to-end/site.ts'
import { type FaultOptions, type Row, unlessAny } from './harness.ts'
import { ask, awsContract, awsKeys, highRates, listen, listRequest } from './provider-site.ts'

const rounds = { short: 5, long: 15 } as const
const measureMs = 1_500
const healthyCallers = 4
const deadCallers = 8
/** What a caller of a dead provider rests before it asks again; far less than the `Retry-After` that it is told. */
const deadPauseMs = 500
/** Of its throughput alone, that a healthy provider keeps beside a dead one. A short run on a busy machine says too little to be that strict. */
const keptMin = { short: 0.5, long: 0.9 } as const

/** Throughput of a healthy provider alone and beside a dead one, in interleaved rounds; the median of the ratios counts. */
export async function besideDead({ length, progress }: FaultOptions): Promise<Row> {
  let unanswered = 0
  const dead = await listen(() => {
    unanswered += 1
  })
  const site = await makeSite(awsContract([['slow', dead.url]]))
  try {
    const serving = await site.serve({ environment: awsKeys, words: highRates })
    const callers = connectAll(serving)
    // The connections are made, and the dead provider is known to be dead.
    await throughput(callers, 'beside the dead one')
    const ratios: number[] = []
    for (let round = 0; round < rounds[length]; round += 1) {
      progress(`round ${round + 1} of ${rounds[length]}`)
      const alone = [await throughput(callers, 'alone')]
      const beside = [
        await throughput(callers, 'beside the dead one'),
        await throughput(callers, 'beside the dead one'),
      ]
      alone.push(await throughput(callers, 'alone'))
      ratios.push(sum(beside) / sum(alone))
    }
    for (const client of [...callers.healthy, ...callers.dying]) client.close()
    const kept = ratios.toSorted((left, right) => left - right)[ratios.length >> 1] ?? 0
    const lost = [
      ...(kept >= keptMin[length] ? [] : [`a healthy provider keeps only ${kept.toFixed(2)}`]),
      ...unlessAny(unanswered, 'request came to the dead one'),
    ]
    const told = `a healthy provider keeps ${kept.toFixed(2)} of its throughput`
    return { fault: 'provider', what: 'dead, beside a healthy one', injected: rounds[length] * 2, lost, told }
  } finally {
    await site.close()
    dead.close()
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

type Callers = { readonly healthy: readonly Client[]; readonly dying: readonly Client[] }

function connectAll(serving: Serving): Callers {
  return {
    healthy: Array.from({ length: healthyCallers }, () => serving.client('agent-7')),
    dying: Array.from({ length: deadCallers }, () => serving.client('agent-8')),
  }
}

/** Issuances of the healthy provider in a while. */
async function throughput(
  { healthy, dying }: Callers,
  how: 'alone' | 'beside the dead one',
): Promise<number> {
  const end = performance.now() + measureMs
  let issued = 0
  const issue = async (client: Client) => {
    while (performance.now() < end) {
      await client.request({ service: 'healthy', ...listRequest })
      issued += 1
    }
  }
  const die = async (client: Client) => {
    while (performance.now() < end) {
      await ask(client, 'slow')
      await pause(deadPauseMs)
    }
  }
  const dead = how === 'alone' ? [] : dying.map(die)
  await Promise.all(healthy.map(issue))
  await Promise.all(dead)
  return issued
}
