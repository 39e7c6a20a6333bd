import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { createLogKey, parseWitnessKey } from '../audit/index.ts'
import { listenerLimits } from './listener.ts'
import { answerBytesMax, createSubmitter, triesMax } from './submission.ts'
import { type ListeningWitness, listen, logOf, startWitness } from './testbed.fixture.ts'

describe('who asks a witness', () => {
  const { vkey } = parseWitnessKey(createLogKey('witness.example.test'))
  /** What comes of submitting to a witness that answers like this. */
  async function submitTo(answer: RequestListener) {
    const server = createServer(answer)
    const url = await listen(server, 0)
    const log = await logOf({ a: 9 })
    const submitter = createSubmitter({ url, vkey }, log)
    const told = await submitter.submit(
      { note: log.checkpoint(), size: log.size() },
      AbortSignal.timeout(10_000),
    )
    server.closeAllConnections()
    server.close()
    return told
  }

  test('reads an answer of so many bytes, and not one more', async () => {
    const answering = (bytes: number) =>
      submitTo((request, response) => request.resume().on('end', () => response.end('x'.repeat(bytes))))
    assert.equal((await answering(answerBytesMax)).kind, 'refused')
    assert.equal((await answering(answerBytesMax + 1)).kind, 'unreachable')
  })

  test('tries so many times, and not once more, when it is told another size each time', async () => {
    let asked = 0
    const told = await submitTo((request, response) => {
      asked += 1
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' })
      request.resume().on('end', () => response.end(`${asked}\n`))
    })
    assert.deepEqual([told.kind, asked], ['refused', triesMax])
  })
})

describe('a witness', () => {
  let witness: ListeningWitness
  before(async () => {
    witness = await startWitness()
  })
  after(() => witness.remove())

  test('keeps so many connections', async () => {
    const { hostname, port } = new URL(witness.url)
    const open = async () => {
      const socket = connect({ host: hostname, port: Number(port) })
      await once(socket, 'connect')
      return socket
    }
    const kept = await Promise.all(Array.from({ length: listenerLimits.connectionsMax }, open))
    const ask = async (socket: Socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      return (await text(socket).catch(() => '')).slice(9, 12)
    }
    const [last = assert.fail()] = kept.slice(-1)
    assert.equal(await ask(await open()), '', 'one more is closed')
    assert.equal(await ask(last), '200')
    for (const socket of kept) socket.destroy()
  })

  test('takes headers of so many bytes, and not one more', async () => {
    const filled = async (bytes: number) => {
      const { hostname, port } = new URL(witness.url)
      const socket = connect({ host: hostname, port: Number(port) })
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: ${'a'.repeat(bytes)}\r\n\r\n`)
      return (await text(socket)).slice(9, 12)
    }
    // What counts is the target with the names and values.
    const others = '/HostxConnectioncloseA'.length
    assert.equal(await filled(listenerLimits.headerBytesMax - others - 1), '200')
    assert.equal(await filled(listenerLimits.headerBytesMax - others), '431')
  })
})
