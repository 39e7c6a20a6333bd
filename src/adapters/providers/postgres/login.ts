import type { Probe } from '../../../broker/index.ts'
import type { Secret } from '../../../primitives/index.ts'
import type { Server } from './config.ts'
import { clientConfig } from './database.ts'
import { errorCode, toProviderFailure } from './failure.ts'

/** SQLSTATEs with which a server says no to a login: wrong or expired password, no such role or no LOGIN, no CONNECT. */
const refusals = ['28P01', '28000', '42501']

/** Logs in and out again, as the credential's holder would. Only the server's own "no" counts as one. */
export async function tryLogin(
  server: Server,
  login: { user: string; password: Secret },
  signal: AbortSignal,
): Promise<Probe> {
  signal.throwIfAborted()
  const { Client } = await import('pg')
  const client = new Client(await clientConfig(server, login))
  client.on('error', () => undefined)
  const abandon = () => client.connection.stream.destroy()
  signal.addEventListener('abort', abandon, { once: true })
  try {
    await client.connect()
    return 'accepted'
  } catch (thrown) {
    if (signal.aborted) throw toProviderFailure(thrown, signal)
    return refusals.includes(errorCode(thrown) ?? '') ? 'refused' : 'unknown'
  } finally {
    signal.removeEventListener('abort', abandon)
    await client.end().catch(() => undefined)
  }
}
