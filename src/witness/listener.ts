import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { addCheckpointPath, sizeMediaType, submissionLimits } from './add-checkpoint.ts'
import type { Witness, WitnessAnswer } from './witness.ts'

/** Bounds of the witness's listener. Times are milliseconds. */
export const listenerLimits = { requestMs: 10_000, connectionsMax: 256, headerBytesMax: 8_192 } as const

/**
 * Serves a witness over HTTP: `POST /add-checkpoint` as C2SP tlog-witness has it, and, because that leaves reading to each witness,
 * `GET /checkpoint?origin=NAME` for the last checkpoint that it cosigned. `log` gets a line for everything that it refused.
 */
export function createWitnessListener(options: {
  readonly witness: Witness
  /** PEM; absent on loopback. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  readonly log: (line: Readonly<Record<string, unknown>>) => void
}): Server {
  const { witness, tls, log } = options
  const limits = {
    maxHeaderSize: listenerLimits.headerBytesMax,
    requestTimeout: listenerLimits.requestMs,
    headersTimeout: listenerLimits.requestMs,
  }
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    answer(witness, request, log)
      .catch((thrown: unknown): Reply => {
        log({ level: 'error', message: String(thrown) })
        return { status: 500, body: 'The witness failed. Nothing was cosigned.\n' }
      })
      .then(({ status, body, type = 'text/plain; charset=utf-8' }) => {
        // What was not read to its end cannot be told from the next request.
        if (!request.complete) response.setHeader('connection', 'close')
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
      })
  }
  const server = tls
    ? createHttpsServer({ ...limits, key: tls.key, cert: tls.certificate, minVersion: 'TLSv1.3' }, handle)
    : createHttpServer(limits, handle)
  server.maxConnections = listenerLimits.connectionsMax
  return server
}

type Reply = { readonly status: number; readonly body: string; readonly type?: string }

// Everything of the request is attacker-controlled.
async function answer(
  witness: Witness,
  request: IncomingMessage,
  log: (line: Readonly<Record<string, unknown>>) => void,
): Promise<Reply> {
  const [path, query] = (request.url ?? '').split('?', 2)
  if (path === '/' && request.method === 'GET') return { status: 200, body: `${witness.vkey}\n` }
  if (path === '/checkpoint' && request.method === 'GET') return latest(witness, query)
  if (path !== `/${addCheckpointPath}`) return { status: 404, body: 'There is nothing at this path.\n' }
  if (request.method !== 'POST') return { status: 405, body: 'Checkpoints are posted.\n' }
  const body = await readBody(request)
  if (body === undefined) return { status: 413, body: 'The body is too large, or no text.\n' }
  const said = witness.add(body)
  const { kind, ...about } = said
  if (kind !== 'cosigned') log({ level: levelOf(said), refused: kind, ...about })
  return replyOf(said)
}

function latest(witness: Witness, query = ''): Reply {
  const note = witness.latest(new URLSearchParams(query).get('origin') ?? '')
  return note === undefined
    ? { status: 404, body: 'No checkpoint of that log was cosigned here.\n' }
    : { status: 200, body: note }
}

/** The status codes of C2SP tlog-witness. */
function replyOf(said: WitnessAnswer): Reply {
  switch (said.kind) {
    case 'cosigned':
      return { status: 200, body: said.lines }
    case 'malformed':
      return { status: 400, body: `${said.why}\n` }
    case 'unknown_key':
      return { status: 403, body: `${said.why}\n` }
    case 'unknown_origin':
      return { status: 404, body: `${said.why}\n` }
    case 'stale':
      return { status: 409, body: `${said.size}\n`, type: sizeMediaType }
    case 'forked':
      return { status: 409, body: 'Another checkpoint of this size was cosigned: the log has forked.\n' }
    case 'unproven':
      return { status: 422, body: 'The proof does not lead from the checkpoint that was cosigned last.\n' }
  }
}

// A fork is proof that the log's key signed two histories; being late is nothing.
function levelOf({ kind }: WitnessAnswer): string {
  if (kind === 'stale') return 'info'
  return kind === 'forked' || kind === 'unproven' ? 'error' : 'warning'
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request) {
    const bytes = Buffer.from(piece)
    size += bytes.length
    if (size > submissionLimits.bytesMax) return undefined
    pieces.push(bytes)
  }
  const body = Buffer.concat(pieces)
  const text = body.toString('utf8')
  return Buffer.from(text).equals(body) ? text : undefined
}
