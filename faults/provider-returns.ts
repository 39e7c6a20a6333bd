import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { assumed } from '../src/adapters/providers/aws/fake-aws.fixture.ts'
import { brokerLimits } from '../src/broker/limits.ts'
import { assemble } from '../src/catalog/index.ts'
import { makeSite, type Serving, type Site } from '../test/end-to-end/site.ts'
import { checkAftermath } from './aftermath.ts'
import type { FaultOptions, Row } from './harness.ts'
import { nobodyTold, placeOf, requestId } from './in-process.ts'
import { ask, awsContract, awsKeys, highRates, listen, listRequest, tally } from './provider-site.ts'

const requests = 10_000
/** Callers at once, of two tenants: more than have a place at the provider and may wait for one. */
const callers = { 'agent-7': 160, 'agent-8': 160, robot: 120 } as const
/** What a caller that was refused rests; far less than the `Retry-After` that it is told. */
const restMs = 200
const answerMs = 100
const waitSeconds = 5
/** Beyond the deadline: what it takes to record and answer on a busy machine. */
const graceMs = 5_000
/** Before the broker tries the provider again, so that the crowd is there when it does. */
const aheadMs = 1_000

/** A provider that was dead comes back while a crowd asks for it. */
export async function returning({ progress }: FaultOptions): Promise<Row> {
  const sts = await startReturningSts()
  const site = await makeSite(awsContract([['returning', sts.url]]))
  try {
    const serving = await site.serve({ environment: awsKeys, words: highRates })
    progress('it is dead')
    await askUntilLeftAlone(serving)
    await pause(brokerLimits.breakerOpenMs - aheadMs)
    sts.comeBack()
    progress(`${requests} ask`)
    const answers = await crowd(site, serving)
    const lost = answers.flatMap(({ fault }) => fault ?? [])
    const most = sts.most()
    if (most > brokerLimits.mintsEach.mints) lost.push(`${most} mints were at the provider at once`)
    if (!answers.some(({ word }) => word === '201')) lost.push('nothing was issued')
    await serving.stop()
    lost.push(...(await leaked(site, answers.filter(({ word }) => word === '201').length)))
    const told = `${tally(answers.map(({ word }) => word))}; at most ${most} at the provider at once`
    return { fault: 'provider', what: 'comes back, and a crowd asks', injected: requests, lost, told }
  } finally {
    await site.close()
    sts.close()
  }
}

/** It hangs until it is told to come back; `most` is how many asked at once since then. */
async function startReturningSts() {
  let isBack = false
  let [now, most] = [0, 0]
  const server = await listen(async (request: IncomingMessage, response: ServerResponse) => {
    const form = new URLSearchParams(await text(request))
    if (!isBack) return
    now += 1
    most = Math.max(most, now)
    response.once('close', () => {
      now -= 1
    })
    await pause(answerMs)
    response.end(assumed(form.get('RoleSessionName') ?? ''))
  })
  return {
    ...server,
    comeBack() {
      isBack = true
    },
    most: () => most,
  }
}

async function askUntilLeftAlone(serving: Serving): Promise<void> {
  const client = serving.client('agent-7')
  const askOnce = () => ask(client, 'returning')
  for (let words: string[] = []; !words.includes('provider_circuit_open'); )
    words = await Promise.all(Array.from({ length: 8 }, askOnce))
  client.close()
}

type Answered = { readonly word: string; readonly fault?: string }

async function crowd(site: Site, serving: Serving): Promise<readonly Answered[]> {
  const answers: Answered[] = []
  let left = requests
  const groups = Object.entries(callers).map(async ([agent, count]) => {
    const connections = new Agent({
      ca: site.ca,
      cert: readFileSync(site.path(`${agent}.pem`)),
      key: readFileSync(site.path(`${agent}.key`)),
      keepAlive: true,
    })
    const caller = async () => {
      while (left > 0) {
        left -= 1
        const answered = await askRaw(serving.machineUrl, connections)
        answers.push(answered)
        if (answered.word !== '201') await pause(restMs)
      }
    }
    await Promise.all(Array.from({ length: count }, caller))
    connections.destroy()
  })
  await Promise.all(groups)
  return answers
}

/** One request; at fault is an answer that is late, has no name, or is a refusal that does not say when to come back. */
async function askRaw(url: string, agent: Agent): Promise<Answered> {
  const began = performance.now()
  const body = JSON.stringify({ service: 'returning', ...listRequest })
  const headers = { 'content-type': 'application/json', prefer: `wait=${waitSeconds}` }
  try {
    const signal = AbortSignal.timeout(waitSeconds * 1000 + graceMs)
    const sent = httpsRequest(`${url}/v1/credentials`, { method: 'POST', headers, agent, signal })
    sent.end(body)
    const [answer] = await once(sent, 'response')
    const { code } = Object(JSON.parse(await text(answer)))
    if (answer.statusCode === 201) return { word: '201' }
    const word = `${answer.statusCode} ${code}`
    const isNamed = [429, 503].includes(answer.statusCode) && Number(answer.headers['retry-after']) > 0
    return isNamed ? { word } : { word, fault: `${word} without a time to come back` }
  } catch (thrown) {
    const milliseconds = Math.round(performance.now() - began)
    return { word: 'none', fault: `no answer after ${milliseconds} ms: ${thrown}` }
  }
}

/** After one turn every lease that lives is one that a caller was told of, and nothing is half-done. */
async function leaked(site: Site, issued: number): Promise<readonly string[]> {
  const assembled = await assemble(placeOf(site, awsKeys))
  try {
    await assembled.broker.reconcile({ requestId, sweep: true })
    const { live } = (await assembled.broker.health()).leases
    const lost = live === issued ? [] : [`${live} leases live, and ${issued} were told to somebody`]
    return [...lost, ...(await checkAftermath(assembled, nobodyTold()))]
  } finally {
    await assembled.close()
  }
}
