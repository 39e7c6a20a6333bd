import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { createAuthority } from '../../catalog/index.ts'
import { createConnections, type TlsMaterial } from './connections.ts'

const hour = 3_600_000
let tls: TlsMaterial
before(async () => {
  const life = { notBefore: Date.now() - hour, notAfter: Date.now() + hour }
  const authority = await createAuthority({ commonName: 'Connections CA', ...life })
  const server = await authority.issue({ purpose: 'server', addresses: ['127.0.0.1'], ...life })
  tls = { key: server.keyPem, certificate: server.certPem, clientCa: authority.own.certPem }
})

describe('of connections there are so many, and not one more', () => {
  for (const kind of ['plain', 'TLS'] as const)
    test(kind, async () => {
      const material = kind === 'TLS' ? tls : undefined
      const server = createConnections(material, (_, response) => response.end('ok'), 3)
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const address = server.address()
      assert.ok(typeof address === 'object' && address)
      const to = { host: '127.0.0.1', port: address.port }
      const open = async () => {
        const socket = material ? connectTls({ ...to, ca: material.clientCa }) : connect(to)
        await once(socket, material ? 'secureConnect' : 'connect').catch(() => undefined)
        return socket
      }
      const ask = async (socket: Socket) => {
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        return (await text(socket).catch(() => '')).slice(9, 12)
      }
      const kept = [await open(), await open(), await open()]
      assert.equal(await ask(await open()), '', 'one more is closed')
      const [first = assert.fail()] = kept
      assert.equal(await ask(first), '200')
      while ((await connections(server)) > 2) await turn()
      assert.equal(await ask(await open()), '200', 'and its place is free again')
      for (const socket of kept) socket.destroy()
      server.closeAllConnections()
      server.close()
    })
})

function connections(of: Server): Promise<number> {
  return new Promise((resolve) => of.getConnections((_, count) => resolve(count)))
}
