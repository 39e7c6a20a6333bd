import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { problem } from '../../protocol/index.ts'
import { connectionLimits } from './connections.ts'
import { createDoor } from './door.ts'
import { type TurnLimits, turnLimits } from './turns.ts'

test('who finds no place is refused at once, and told when to come back', async (t) => {
  const door = await openDoor(t, { waitingEachMax: 1 })
  const caller = await door.caller('acme')
  await caller.ask('r0')
  await caller.ask('r1')
  assert.deepEqual([door.begun, door.refused], [[], [429]])
  door.turn()
  const answers = await caller.answers(2)
  assert.match(answers.at(-1) ?? '', /^HTTP\/1\.1 429 .*\r\nretry-after: 1\r\n.*"code":"rate_limited"/s)
  assert.deepEqual(door.begun, ['r0'])
})

test('when all places are taken, who comes is told that it is not its doing', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 0, waitingMax: 1 })
  const [acme, globex] = [await door.caller('acme'), await door.caller('globex')]
  await acme.ask('a0')
  await globex.ask('g0')
  await globex.ask('g1')
  assert.deepEqual(door.refused, [503])
  await globex.leave()
  await acme.ask('a1')
  assert.deepEqual(door.refused, [503, 503])
})

test('a refusal is one whole problem document with the id of its request', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 0, waitingEachMax: 0 })
  const caller = await door.caller('acme')
  await caller.ask('r0')
  await caller.ask('r1')
  await caller.ask('r2', { head: 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n' })
  const problems = (await caller.answers(3)).map((answer) => {
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.equal(Number(/content-length: ([0-9]+)/.exec(head)?.[1]), Buffer.byteLength(body))
    assert.match(head, /content-type: application\/problem\+json.*\r\nConnection: keep-alive/s)
    return problem.parse(JSON.parse(body))
  })
  const [first, second, third] = problems.map(({ request_id }) => request_id)
  assert.notEqual(first, second)
  assert.equal(third, '0af7651916cd43dd8448eb211c80319c')
})

test('tenants behind one address have places of their own as soon as they are proven', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 1, waitingEachMax: 1 })
  const [acme, globex] = [await door.caller(), await door.caller()]
  await acme.ask('a0')
  await globex.ask('g0')
  door.turn()
  door.turn()
  acme.prove('acme')
  globex.prove('globex')
  for (const name of ['a1', 'a2', 'a3']) await acme.ask(name)
  await globex.ask('g1')
  assert.deepEqual(door.refused, [429, 429], 'of acme, which has one place and took it')
  door.turn()
  door.turn()
  assert.deepEqual(door.begun, ['a0', 'g0', 'a1', 'g1'])
})

test('a newcomer is served beside a tenant that floods from its address', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 2, waitingEachMax: 4 })
  const flooding = await door.caller('acme')
  for (let nth = 0; nth < 20; nth += 1) await flooding.ask(`a${nth}`)
  const newcomer = await door.caller()
  await newcomer.ask('n0')
  door.turn()
  assert.deepEqual(door.begun, ['a0', 'n0'])
})

test('a newcomer is served beside connections of its address that never prove anything', async (t) => {
  const door = await openDoor(t, { startsPerTurnUnproven: 2, waitingUnprovenEachMax: 4 })
  const stranger = await door.caller()
  for (let nth = 0; nth < 20; nth += 1) await stranger.ask(`s${nth}`)
  assert.equal(door.refused.length, 15, 'one as a newcomer waits, and four with those that proved nothing')
  const newcomer = await door.caller()
  await newcomer.ask('n0')
  door.turn()
  door.turn()
  assert.deepEqual(door.begun, ['s0', 's1', 'n0', 's2'])
})

test('newcomers wait each with one request, and no proven tenant waits for all of them', async (t) => {
  const door = await openDoor(t, { startsPerTurnUnproven: 2, waitingUnprovenEachMax: 8 })
  const known = await door.caller('acme')
  for (let nth = 0; nth < 12; nth += 1) await (await door.caller()).ask(`n${nth}`)
  assert.equal(door.refused.length, 4, 'eight wait')
  await known.ask('a0')
  door.turn()
  assert.deepEqual(door.begun, ['n0', 'a0', 'n1'])
})

test('a newcomer that was refused is a newcomer still', async (t) => {
  const door = await openDoor(t, { startsPerTurnUnproven: 1, waitingUnprovenEachMax: 1 })
  const [stranger, newcomer] = [await door.caller(), await door.caller()]
  await stranger.ask('s0')
  await newcomer.ask('refused')
  door.turn()
  await stranger.ask('s1')
  await newcomer.ask('n0')
  assert.deepEqual(door.refused, [429], 'each waits with its own')
  door.turn()
  door.turn()
  assert.deepEqual(door.begun, ['s0', 's1', 'n0'])
})

test('connections that carry several tenants are one more who takes turns', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 1, waitingEachMax: 2 })
  const [proxy, other, acme] = [
    await door.caller('acme'),
    await door.caller('acme'),
    await door.caller('acme'),
  ]
  proxy.prove('globex')
  other.prove('initech')
  other.prove('acme')
  for (const name of ['p0', 'p1']) await proxy.ask(name)
  await other.ask('refused')
  assert.deepEqual(door.refused, [429], 'both proxies come from one address')
  await acme.ask('a0')
  door.turn()
  door.turn()
  assert.deepEqual(door.begun, ['p0', 'a0'])
})

test('who goes away while waiting is not served, and takes nobody’s turn', async (t) => {
  const door = await openDoor(t, { startsPerTurn: 1 })
  const [first, second, third] = [
    await door.caller('acme'),
    await door.caller('acme'),
    await door.caller('acme'),
  ]
  await first.ask('r0')
  await second.ask('r1')
  await third.ask('r2')
  door.turn()
  await second.leave()
  door.turn()
  assert.deepEqual(door.begun, ['r0', 'r2'])
})

test('a connection whose request was refused is heard again a little later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { unheardMs } = turnLimits
  const door = await openDoor(t, { waitingEachMax: 1, unheardMs })
  const [first, refused] = [await door.caller('acme'), await door.caller('acme')]
  await first.ask('r0')
  await refused.ask('refused')
  door.turn()
  await refused.answers(1)
  refused.send('POST /again HTTP/1.1\r\nhost: door.test\r\n\r\n')
  t.mock.timers.tick(unheardMs - 1)
  door.turn()
  await first.ask('r1')
  assert.equal(door.arrived.includes('again'), false)
  t.mock.timers.tick(1)
  door.turn()
  while (!door.arrived.includes('again')) await new Promise(setImmediate)
})

test('… and later beside somebody that asks seldom', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const door = await openDoor(t, {
    startsPerShortTurnEach: 1,
    waitingEachMax: 2,
    shortTurns: 9,
    heardPerTurn: 9,
  })
  const [flooding, alike, quiet] = [
    await door.caller('acme'),
    await door.caller('acme'),
    await door.caller('globex'),
  ]
  for (let nth = 0; nth < 9; nth += 1) await flooding.ask(`a${nth}`)
  await quiet.ask('g0')
  await alike.ask('refused')
  door.turn()
  await alike.answers(1)
  alike.send('POST /again HTTP/1.1\r\nhost: door.test\r\n\r\n')
  t.mock.timers.tick(turnLimits.unheardInShortTurnsMs - 1)
  door.turn()
  await quiet.ask('g1')
  assert.equal(door.arrived.includes('again'), false)
  t.mock.timers.tick(1)
  door.turn()
  while (!door.arrived.includes('again')) await new Promise(setImmediate)
})

test('those refused together are heard again a few in a turn, and more for each request that began', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const limits = { waitingEachMax: 1, unheardMs: 100, heardPerTurn: 1, heardPerStart: 2 }
  const door = await openDoor(t, limits)
  const [first, other] = [await door.caller('acme'), await door.caller('globex')]
  await first.ask('r0')
  const refused: Awaited<ReturnType<typeof door.caller>>[] = []
  for (let nth = 0; nth < 7; nth += 1) {
    const caller = await door.caller('acme')
    await caller.ask(`refused${nth}`)
    refused.push(caller)
  }
  door.turn()
  for (const [nth, caller] of refused.entries()) {
    await caller.answers(1)
    caller.send(`POST /again${nth} HTTP/1.1\r\nhost: door.test\r\n\r\n`)
  }
  t.mock.timers.tick(limits.unheardMs)
  const again = () => door.arrived.filter((name) => name.startsWith('again')).length
  for (const heard of [3, 6, 7]) {
    door.turn()
    while (again() < heard) await new Promise(setImmediate)
    await other.ask(`between${heard}`)
    assert.equal(again(), heard)
  }
})

describe('the body of a refused request', () => {
  /** The place of acme is taken. */
  const refusing = async (t: TestContext) => {
    const door = await openDoor(t, { waitingEachMax: 1 })
    const [first, caller] = [await door.caller('acme'), await door.caller('acme')]
    await first.ask('r0')
    return { door, caller }
  }

  test('is dropped, however large, and the connection serves on', async (t) => {
    const { door, caller } = await refusing(t)
    await caller.ask('large', { head: 'content-length: 3000000\r\n', body: 'x'.repeat(3_000_000) })
    await caller.ask('chunked', { head: 'transfer-encoding: chunked\r\n', body: '4\r\nbody\r\n0\r\n\r\n' })
    door.turn()
    await caller.ask('r1')
    door.turn()
    await caller.answers(3)
    assert.deepEqual(
      [door.begun, door.refused],
      [
        ['r0', 'r1'],
        [429, 429],
      ],
    )
  })

  test('that does not come is not waited for: the answer is given, and the connection closed', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { door, caller } = await refusing(t)
    await caller.ask('slow', { head: 'content-length: 1000\r\n', body: 'half of' })
    door.turn()
    await caller.answers(1)
    t.mock.timers.tick(connectionLimits.lingerMs - 1)
    assert.equal(caller.isOpen(), true)
    t.mock.timers.tick(1)
    assert.equal(caller.isOpen(), false)
  })

  test('that comes a little later leaves its connection open', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { door, caller } = await refusing(t)
    await caller.ask('slow', { head: 'content-length: 6\r\n', body: 'one' })
    door.turn()
    caller.send('two')
    await caller.ask('r1')
    t.mock.timers.tick(connectionLimits.lingerMs)
    assert.equal(caller.isOpen(), true)
    door.turn()
    assert.deepEqual(door.begun, ['r0', 'r1'])
  })
})

/** A server behind a door whose turns the test makes. The path of a request is its name. */
async function openDoor(t: TestContext, limits: Partial<TurnLimits>) {
  const turns: (() => void)[] = []
  const door = createDoor({ shortTurns: 0, unheardMs: 0, ...limits }, (callback) => turns.push(callback))
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
    arrived,
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
        async ask(name: string, { head = '', body = '' } = {}) {
          client.write(`POST /${name} HTTP/1.1\r\nhost: door.test\r\n${head}\r\n${body}`)
          while (!arrived.includes(name)) await new Promise(setImmediate)
        },
        /** So many answers, in their order. */
        async answers(count: number) {
          const heads = () => received.split('HTTP/1.1 ').slice(1)
          while (heads().length < count) await new Promise(setImmediate)
          return heads().map((head) => `HTTP/1.1 ${head}`)
        },
        send: (text: string) => client.write(text),
        isOpen: () => own?.destroyed === false,
        async leave() {
          client.destroy()
          while (own && !own.destroyed) await new Promise(setImmediate)
        },
      }
    },
  }
}
