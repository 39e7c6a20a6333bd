import type { RequestListener } from 'node:http'
import { makeSite, type Serving } from '../test/end-to-end/site.ts'
import type { FaultOptions, Row } from './harness.ts'
import { ask, awsContract, awsKeys, listen, tally, waitSeconds } from './provider-site.ts'

/** How an STS on the wire may behave, and every word by which the broker may call it. */
const manners: Readonly<Record<string, { answer: RequestListener; codes: readonly string[] }>> = {
  slow: {
    answer: () => undefined,
    codes: ['credential_minting_failure'],
  },
  refusing: {
    answer: (_, response) => response.writeHead(403).end(errorXml('AccessDenied')),
    codes: ['provider_refused'],
  },
  garbage: {
    answer: (_, response) => response.end('<html>Welcome to nginx!</html>'),
    codes: ['provider_answer_invalid'],
  },
  empty: { answer: (_, response) => response.end(), codes: ['provider_answer_invalid'] },
  half: {
    answer(_, response) {
      response.writeHead(200, { 'content-length': 1000 }).write('<AssumeRoleResponse><AssumeRoleResult>')
      setTimeout(() => response.destroy(), 20)
    },
    codes: ['credential_minting_failure', 'provider_answer_invalid'],
  },
  broken: {
    answer: (_, response) => response.destroy(),
    codes: ['credential_minting_failure'],
  },
  throttling: {
    answer: (_, response) => response.writeHead(400).end(errorXml('Throttling')),
    codes: ['credential_minting_failure'],
  },
  // It asks for more time than anybody waits, so it is not asked again.
  'throttling-with-retry-after': {
    answer: (_, response) => response.writeHead(429, { 'retry-after': '60' }).end(),
    codes: ['credential_minting_failure'],
  },
  huge: {
    answer: (_, response) => response.end('x'.repeat(20_000_000)),
    codes: ['provider_answer_invalid', 'credential_minting_failure'],
  },
}

function errorXml(code: string): string {
  return `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>words</Message></Error></ErrorResponse>`
}

const requestsEach = { short: 6, long: 60 } as const
/** Beyond the deadline: what it takes to record and answer on a busy machine. */
const graceMs = 3_000

/** Each manner at its own endpoint behind the real `aws` adapter: a named outcome, in time, an entry each, and nothing issued. */
export async function answering({ length, progress }: FaultOptions): Promise<readonly Row[]> {
  const servers = await Promise.all(Object.values(manners).map(({ answer }) => listen(answer)))
  const names = Object.keys(manners)
  const site = await makeSite(awsContract(names.map((name, at) => [name, servers[at]?.url ?? ''])))
  try {
    const serving = await site.serve({ environment: awsKeys })
    const rows: Row[] = []
    for (const [name, { codes }] of Object.entries(manners)) {
      progress(name)
      rows.push(await oneManner(serving, { name, codes, requests: requestsEach[length] }))
    }
    return rows
  } finally {
    await site.close()
    for (const server of servers) server.close()
  }
}

async function oneManner(
  serving: Serving,
  { name, codes, requests }: { name: string; codes: readonly string[]; requests: number },
): Promise<Row> {
  const came: string[] = []
  const lost: string[] = []
  const client = serving.client('agent-7')
  const askOnce = async () => {
    const began = performance.now()
    came.push(await ask(client, name))
    const late = performance.now() - began - waitSeconds * 1000 - graceMs
    if (late > 0) lost.push(`an answer came ${Math.round(late)} ms too late`)
  }
  // The first alone, so that all its tries are its own.
  await askOnce()
  await Promise.all(Array.from({ length: requests - 1 }, askOnce))
  client.close()
  // Once it is known to be down, it is left alone.
  const known = [...codes, 'provider_circuit_open']
  lost.push(...came.filter((code) => !known.includes(code)).map((code) => `it was called ${code}`))
  const entries = await failuresOf(serving, name)
  if (entries !== requests) lost.push(`${requests - entries} requests have no entry`)
  return { fault: 'provider', what: `${name} (aws)`, injected: requests, lost, told: tally(came) }
}

async function failuresOf(serving: Serving, provider: string): Promise<number> {
  const client = serving.client('ops')
  let found = 0
  let from = 0
  for (;;) {
    const page = await client.entries({ from, count: 256 })
    for (const entry of page.entries)
      if (entry['event'] === 'credential_failed' && entry['provider'] === provider) found += 1
    if (page.next === from) break
    from = page.next
  }
  client.close()
  return found
}
