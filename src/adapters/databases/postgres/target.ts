import type { DatabaseTarget } from '../../../migration/index.ts'
import { Failure, type Secret } from '../../../primitives/index.ts'

/**
 * Where a connection string leads, and the string as libpq writes it: `postgresql+psycopg://` of SQLAlchemy loses its driver. Throws
 * `database_unreachable` for one that is no URL of PostgreSQL with exactly one host; the string itself is never told.
 */
export function readTarget(connection: Secret): { readonly target: DatabaseTarget; readonly url: string } {
  // Attacker-controlled, and with a password.
  const text = connection.reveal().replace(/^(postgres(?:ql)?)\+[a-z0-9_]+:/, '$1:')
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text) : null
  if (!url) throw unreadable('is no URL of PostgreSQL')
  const parameters = ['host', 'hostaddr', 'port', 'service'].filter((name) => url.searchParams.has(name))
  const [socket] = parameters.length === 1 ? url.searchParams.getAll('host') : []
  if (url.hostname === '' && socket?.startsWith('/'))
    return { target: { kind: 'unix', folder: socket }, url: text }
  // A parameter would win over the host that was checked.
  if (parameters.length > 0) throw unreadable(`names its ${parameters.join(' and ')} twice`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (!/^[A-Za-z0-9._:-]{1,253}$/.test(host)) throw unreadable('has not exactly one host')
  return { target: { kind: 'tcp', host, port: url.port === '' ? 5432 : Number(url.port) }, url: text }
}

function unreadable(why: string): Failure {
  return new Failure('database_unreachable', `The connection string of the database ${why}.`, {
    next: 'write postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
  })
}
