import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createDoor, type DoorLimits, doorLimits } from './door.ts'

test('so many begin in a turn and so many wait; one more is refused at once, and told when to come back', async (t) => {
  const door = await openDoor(t, { startsPerTurnEach: 2, waitingEachMax: 3 })
  const caller = await door.caller()
  for (let nth = 0; nth < 6; nth += 1) await caller.ask(`r${nth}`)
  assert.deepEqual(door.begun, ['r0', 'r1'])
  assert.deepEqual(door.refused, [429])
  door.turn()
  assert.deepEqual(door.begun, ['r0', 'r1', 'r2', 'r3'])
  door.turn()
  assert.deepEqual(door.begun, ['r0', 'r1', 'r2', 'r3', 'r4'])
  const answers = await caller.answers(6)
  assert.match(answers.at(-1) ?? '', /^HTTP\/1\.1 429 .*\r\nretry-after: 1\r\n.*"code":"rate_limited"/s)
})

test('what waits is bounded over all tenants together', async (t) => {
  const door = await openDoor(t, { startsPerTurnEach: 1, waitingMax: 2 })
  const [acme, globex] = [await door.caller('acme'), await door.caller('globex')]
  await acme.ask('a0')
  await acme.ask('a1')
  await globex.ask('g0')
  await globex.ask('g1')
  await globex.ask('g2')
  assert.deepEqual(door.refused, [503])
  assert.deepEqual(door.begun, ['a0', 'g0'])
  door.turn()
  const answers = await globex.answers(3)
  assert.match(answers.at(-1) ?? '', /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*"code":"overloaded"/s)
})

test('all together begin so many in a turn', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 3, startsPerTurnEach: 2 })
  const [acme, globex] = [await door.caller('acme'), await door.caller('globex')]
  for (const name of ['a0', 'a1', 'a2']) await acme.ask(name)
  for (const name of ['g0', 'g1']) await globex.ask(name)
  assert.deepEqual(door.begun, ['a0', 'a1', 'g0'])
  door.turn()
  assert.deepEqual(door.begun.slice(3).toSorted(), ['a2', 'g1'])
})

test('tenants take turns, whoever came first and however many they sent', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 2, startsPerTurnEach: 2 })
  const [acme, globex] = [await door.caller('acme'), await door.caller('globex')]
  for (let nth = 0; nth < 6; nth += 1) await acme.ask(`a${nth}`)
  await globex.ask('g0')
  assert.deepEqual(door.begun, ['a0', 'a1'])
  door.turn()
  assert.deepEqual(door.begun.slice(2), ['a2', 'g0'])
  door.turn()
  assert.deepEqual(door.begun.slice(4), ['a3', 'a4'])
})

test('connections that proved nothing, or several tenants, share what their address has', async (t) => {
  const door = await openDoor(t, { startsPerTurnEach: 1 })
  const [stranger, proxy] = [await door.caller(), await door.caller('acme')]
  proxy.prove('globex')
  await stranger.ask('s0')
  await proxy.ask('p0')
  assert.deepEqual(door.begun, ['s0'])
})

test('who goes away while waiting is not served', async (t) => {
  const door = await openDoor(t, { startsPerTurnEach: 1 })
  const [first, second] = [await door.caller('acme'), await door.caller('acme')]
  await first.ask('r0')
  await second.ask('r1')
  await second.leave()
  door.turn()
  assert.deepEqual(door.begun, ['r0'])
})

test('one tenant waits with fewer than all together, and begins with fewer', () => {
  assert.ok(doorLimits.startsPerTurnEach < doorLimits.startsPerTurn)
  assert.ok(doorLimits.waitingEachMax < doorLimits.waitingMax)
})

/** A server behind a door whose turns the test makes. The path of a request is its name. */
async function openDoor(t: TestContext, limits: Partial<DoorLimits>) {
  const turns: (() => void)[] = []
  const door = createDoor(limits, (callback) => turns.push(callback))
  const [begun, refused, arrived]: [string[], number[], string[]] = [[], [], []]
  const guarded = door.guard(
    (request, response) => {
      begun.push((request.url ?? '').slice(1))
      response.end('served')
    },
    (status) => refused.push(status),
  )
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    arrived.push((request.url ?? '').slice(1))
    guarded(request, response)
  })
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    begun,
    refused,
    turn: () => {
      for (const callback of turns.splice(0)) callback()
    },
    /** A connection; each of its requests is seen by the server before `ask` comes back. */
    async caller(tenant?: string) {
      const client = connect(port, '127.0.0.1')
      const accepted = once(server, 'connection')
      await once(client, 'connect')
      const [own]: Socket[] = await accepted
      const prove = (name: string) => own && door.proven(own, name)
      if (tenant !== undefined) prove(tenant)
      let received = ''
      client.setEncoding('utf8').on('data', (text: string) => {
        received += text
      })
      return {
        prove,
        async ask(name: string) {
          client.write(`GET /${name} HTTP/1.1\r\nhost: door.test\r\n\r\n`)
          while (!arrived.includes(name)) await new Promise(setImmediate)
        },
        /** So many answers, in their order. */
        async answers(count: number) {
          const heads = () => received.split('HTTP/1.1 ').slice(1)
          while (heads().length < count) await new Promise(setImmediate)
          return heads().map((head) => `HTTP/1.1 ${head}`)
        },
        async leave() {
          client.destroy()
          while (own && !own.destroyed) await new Promise(setImmediate)
        },
      }
    },
  }
}
