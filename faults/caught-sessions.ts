import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { AwsClient } from 'aws4fetch'

/** A session that STS gave out, seen on its way: it exists whether or not whoever asked is still there to take it. */
export type CaughtSession = {
  readonly leaseId: string
  readonly role: string
  /** Milliseconds since 1970 at which its own policy ends it, whatever else happens. */
  readonly notAfter: number
  readonly client: AwsClient
}

/** What stands between a broker and its AWS: it changes nothing, and keeps every session that passes. */
export type SessionCatcher = {
  readonly endpoint: string
  readonly sessions: Set<CaughtSession>
  close(): void
}

export async function catchSessions(aws: string): Promise<SessionCatcher> {
  const sessions = new Set<CaughtSession>()
  const server = createServer(async (asked, answer) => {
    const body = await buffer(asked)
    const { method = 'GET', url = '/', headers } = asked
    const came = await pass(new URL(url, aws), { method, headers, body })
    const caught = came.status === 200 ? sessionIn(body.toString(), came.body.toString()) : undefined
    if (caught) sessions.add(caught)
    answer.writeHead(came.status, came.headers).end(came.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen.')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    sessions,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

type Passed = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }

/** With the headers as they are: the signature names the host that the broker asked. */
async function pass(
  url: URL,
  { body, ...how }: { method: string; headers: IncomingHttpHeaders; body: Buffer },
): Promise<Passed> {
  const sent = request(url, how)
  sent.end(body)
  const [answer] = await once(sent, 'response')
  const { connection: _, 'transfer-encoding': __, ...headers } = answer.headers
  return { status: answer.statusCode, headers, body: await buffer(answer) }
}

function sessionIn(asked: string, answered: string): CaughtSession | undefined {
  const form = new URLSearchParams(asked)
  const leaseId = form.get('RoleSessionName')
  if (form.get('Action') !== 'AssumeRole' || leaseId === null) return undefined
  const field = (tag: string) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(answered)?.[1] ?? ''
  const until = /"aws:CurrentTime":"([^"]+)"/.exec(form.get('Policy') ?? '')?.[1] ?? ''
  const keys = {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('SessionToken'),
  }
  const client = new AwsClient({ ...keys, service: 's3', region: 'us-east-1', retries: 0 })
  return { leaseId, role: form.get('RoleArn') ?? '', notAfter: Date.parse(until), client }
}
