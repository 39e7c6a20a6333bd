import { after } from 'node:test'
import { startRunning } from '../../test/running.ts'
import { type Client, createClient } from './index.ts'

/** A whole broker for the tests of one file, which ends with them, as do the clients of `connect`. */
export const running = await startRunning()
after(() => running.close())
export const ca = running.tls.clientCa
export const url = running.broker.machineUrl
const clients: Client[] = []
after(() => {
  for (const client of clients) client.close()
})

export function connect(options: Parameters<typeof createClient>[0]): Client {
  const client = createClient(options)
  clients.push(client)
  return client
}

const { certificate } = running.machines['agent-7']
export const identity = {
  kind: 'certificate',
  certificate: certificate.certPem,
  key: certificate.keyPem,
} as const
export const agent = connect({ url, ca, identity })
