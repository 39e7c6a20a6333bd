import type { DatabaseTarget } from '../../../migration/index.ts'
import { Failure, type Secret } from '../../../primitives/index.ts'

/**
 * Where a connection string leads, and the string for this process: `postgresql+psycopg://` of SQLAlchemy loses its driver, and every
 * `sslmode` that wants TLS checks the server in full. Throws `migration_refused` for one that is no URL of PostgreSQL with exactly one
 * host or folder of a Unix socket; the string itself is never told.
 */
export function readTarget(connection: Secret): { readonly target: DatabaseTarget; readonly url: string } {
  // Attacker-controlled, and with a password.
  const text = connection.reveal().replace(/^(postgres(?:ql)?)\+[a-z0-9_]+:/, '$1:')
  const authority = /^postgres(?:ql)?:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(text)?.[1]
  if (authority === undefined) throw refused('is no URL of PostgreSQL')
  // libpq knows a user without a host, WHATWG does not; `host` of the query names it then.
  const url = URL.parse(authority === '' ? text.replace(/@(?=[/?#]|$)/, `@${unnamed}`) : text)
  const named = url?.searchParams.getAll('host') ?? []
  if (/,|%2c/i.test(`${authority}${named}`)) throw refused('names several hosts, and one is held', oneHost)
  if (!url) throw refused('is no URL of PostgreSQL')
  const target = targetOf(url, [authority === '' ? '' : url.hostname, ...named])
  adaptTls(url.searchParams, target.kind)
  return { target, url: url.href }
}

const unnamed = 'unnamed'
const oneHost = 'name the server that takes writes, alone'

function targetOf(url: URL, hosts: readonly string[]): DatabaseTarget {
  const hidden = ['hostaddr', 'service'].find((name) => url.searchParams.has(name))
  // It would win over the host that was checked.
  if (hidden !== undefined) throw refused(`leads elsewhere by its ${hidden}`, `leave ${hidden} out`)
  const [host, ...others] = hosts.filter((one) => one !== '')
  const [port = '5432', ...ports] = [url.port, ...url.searchParams.getAll('port')].filter((one) => one !== '')
  if (others.length + ports.length > 0) throw refused('names its host or port twice')
  if (host === undefined) throw refused('names no host')
  if (!/^\d{1,5}$/.test(port)) throw refused('has a port that is no number')
  const folder = /^(\/|%2f)/i.test(host) ? folderOf(host) : undefined
  if (folder !== undefined) return { kind: 'unix', folder, port: Number(port) }
  const name = host.replace(/^\[(.*)\]$/, '$1')
  if (!/^[A-Za-z0-9._:-]{1,253}$/.test(name)) throw refused('has a host that is none')
  return { kind: 'tcp', host: name, port: Number(port) }
}

function folderOf(host: string): string {
  try {
    return decodeURIComponent(host).replace(/(?<=.)\/+$/, '')
  } catch {
    throw refused('has a host that is none')
  }
}

/** What wants TLS gets it checked; `ssl` is asyncpg's and JDBC's word for it. A Unix socket has none. */
function adaptTls(parameters: URLSearchParams, kind: DatabaseTarget['kind']): void {
  const mode = parameters.get('sslmode') ?? parameters.get('ssl')
  parameters.delete('ssl')
  parameters.delete('sslmode')
  if (kind === 'unix' || parameters.get('sslrootcert') === 'system') parameters.delete('sslrootcert')
  if (mode === null || kind === 'unix') return
  const plain = /^(disable|false|0)$/.test(mode)
  parameters.set('sslmode', plain ? 'disable' : mode === 'no-verify' ? mode : 'verify-full')
}

export function refused(why: string, next = 'write postgresql://USER:PASSWORD@HOST:PORT/DATABASE'): Failure {
  return new Failure('migration_refused', `The connection string of the database ${why}.`, { next })
}
