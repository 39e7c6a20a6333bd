/** The load: `node generator.ts` reads an `Order` from its input, sends it, and prints what came back. Plain sockets, so that it takes less than it asks. */
import { connect as connectPlain, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { type Answers, countingLine, type Order } from './load.ts'
import { createReader, type Response } from './response.ts'

const load: Order = JSON.parse(await text(process.stdin))
const startedAt = performance.now()
const countFrom = startedAt + load.warmSeconds * 1000
const stopAt = countFrom + load.seconds * 1000
let connections = 0
// Read once: a connection for every request would read its key every time.
const identities =
  load.tls?.clients.map((client) => createSecureContext({ ca: load.tls?.ca, ...client })) ?? []

setTimeout(() => console.log(countingLine), Math.max(0, countFrom - performance.now()))
console.log(JSON.stringify(await drive(load)))
process.exit(0)

function drive({ stream }: Order): Promise<Answers> {
  const tally = createTally(stream.name)
  const due = stream.ratePerSecond === undefined ? undefined : schedule(stream.ratePerSecond)
  const { requests, requestsPerConnection = Number.POSITIVE_INFINITY } = stream
  const workers = Array.from({ length: stream.connections }, (_, index) => {
    let at = index
    const nextRequest = () => {
      const request = requests[at % requests.length] ?? ''
      at += stream.connections
      return request
    }
    return work({ tally, due, nextRequest, requestsPerConnection })
  })
  const { promise, resolve } = Promise.withResolvers<Answers>()
  setTimeout(() => {
    for (const worker of workers) worker.stop()
    resolve(tally.sum())
  }, stopAt - performance.now())
  return promise
}

/** When requests are due at this rate: `take` gives the oldest that nobody has taken, `wait` calls back when there is one. */
function schedule(ratePerSecond: number) {
  const interval = 1000 / ratePerSecond
  const idle: (() => void)[] = []
  let taken = 0
  const isDue = () => startedAt + taken * interval <= performance.now()
  setInterval(() => {
    while (idle.length > 0 && isDue()) idle.shift()?.()
  }, 1).unref()
  return {
    take: () => (isDue() ? startedAt + taken++ * interval : undefined),
    wait: (callback: () => void) => void idle.push(callback),
  }
}

type Job = {
  readonly tally: ReturnType<typeof createTally>
  readonly due: ReturnType<typeof schedule> | undefined
  readonly nextRequest: () => string
  readonly requestsPerConnection: number
}

/** One connection: a request, its answer, the next request. A connection that breaks, or that has sent what it may, is made anew. */
function work({ tally, due, nextRequest, requestsPerConnection }: Job) {
  let socket: Socket
  let [dueAt, sentAt] = [0, 0]
  let waiting = false
  let stopped = false
  const next = () => {
    if (stopped) return
    const at = due ? due.take() : performance.now()
    if (at === undefined) return due?.wait(next)
    dueAt = at
    sentAt = performance.now()
    waiting = true
    socket.write(nextRequest())
  }
  const open = () => {
    let left = requestsPerConnection
    let over = false
    const reader = createReader((answer) => {
      waiting = false
      tally.count(answer, { dueAt, sentAt })
      left -= 1
      if (left > 0) return next()
      over = true
      socket.destroy()
      if (!stopped) open()
    })
    socket = connect()
    socket.setNoDelay(true)
    socket.on(load.tls ? 'secureConnect' : 'connect', next)
    socket.on('data', reader)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (stopped || over) return
      if (waiting) tally.broken()
      waiting = false
      setTimeout(open, 10)
    })
  }
  open()
  return {
    stop() {
      stopped = true
      socket.destroy()
    },
  }
}

function connect(): Socket {
  const place = { host: '127.0.0.1', port: load.port }
  if (!load.tls) return connectPlain(place)
  const secureContext = identities[connections++ % identities.length]
  return connectTls({ ...place, ...(secureContext ? { secureContext } : {}) })
}

function createTally(name: string) {
  const [served, refusals]: [number[], number[]] = [[], []]
  const refused: Record<string, number> = {}
  let withoutRetryAfter = 0
  let brokenConnections = 0
  let sample = ''
  const counts = () => performance.now() >= countFrom
  return {
    count(answer: Response, { dueAt, sentAt }: { dueAt: number; sentAt: number }) {
      if (!counts()) return
      if (answer.status < 300) {
        served.push(performance.now() - dueAt)
        return
      }
      refusals.push(performance.now() - sentAt)
      refused[answer.status] = (refused[answer.status] ?? 0) + 1
      if (!answer.retryAfter) withoutRetryAfter += 1
      if (sample === '') sample = answer.whole()
    },
    broken() {
      if (counts()) brokenConnections += 1
    },
    sum(): Answers {
      return {
        name,
        perSecond: served.length / load.seconds,
        p50: quantile(served, 0.5),
        p99: quantile(served, 0.99),
        refused,
        refusedPerSecond: refusals.length / load.seconds,
        refusedP99: quantile(refusals, 0.99),
        withoutRetryAfter,
        brokenConnections,
        sample,
      }
    },
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
