import { unmappedAddress } from '../primitives/index.ts'

/**
 * What a value is the same as another one by. For an address of a database: family, host, port and name of the database, so that another
 * user or password, `?sslmode=`, a driver, an explicit default port, letters' case or percent-encoding does not make it another database;
 * one for each host of a list. Any other value is itself. Empty for an empty value.
 */
export function valueIdentities(value: string): readonly string[] {
  const text = value.trim().replace(/^(["'])(.*)\1$/, '$2')
  if (text === '') return []
  return addressIdentities(text) ?? keywordIdentities(text) ?? [JSON.stringify(['text', text])]
}

const defaultPorts: Readonly<Record<string, string>> = {
  postgresql: '5432',
  mysql: '3306',
  redis: '6379',
  mongodb: '27017',
  sqlserver: '1433',
}

/** Names of one family; a driver after `+` is taken off before. */
const families: Readonly<Record<string, string>> = {
  postgres: 'postgresql',
  postgresql: 'postgresql',
  pgsql: 'postgresql',
  cockroachdb: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
  redis: 'redis',
  rediss: 'redis',
  mongodb: 'mongodb',
  mssql: 'sqlserver',
  sqlserver: 'sqlserver',
}

function addressIdentities(text: string): readonly string[] | undefined {
  const parts = /^(?:jdbc:)?([a-z][a-z0-9]*)(?:\+[a-z0-9]+)?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i.exec(text)
  const family = families[parts?.[1]?.toLowerCase() ?? '']
  if (!parts || family === undefined) return undefined
  const query = new URLSearchParams(parts[4] ?? '')
  const authority = parts[2] ?? ''
  const hosts = query.get('host') ?? authority.slice(authority.lastIndexOf('@') + 1)
  const name = query.get('dbname') ?? decoded(parts[3] ?? '').replace(/^\/+|\/+$/g, '')
  const user =
    query.get('user') ??
    decoded(authority.slice(0, Math.max(0, authority.lastIndexOf('@'))).split(':')[0] ?? '')
  return identitiesOf(family, { hosts, ports: query.get('port') ?? '', name: name === '' ? user : name })
}

/** libpq's `host=… port=… dbname=…`. */
function keywordIdentities(text: string): readonly string[] | undefined {
  const words = new Map(
    [...text.matchAll(/([a-z]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))/gi)].map(
      ([, name = '', quoted, plain]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''],
    ),
  )
  const hosts = words.get('host') ?? words.get('hostaddr')
  if (hosts === undefined || !(words.has('dbname') || words.has('user'))) return undefined
  const name = words.get('dbname') ?? words.get('user') ?? ''
  return identitiesOf('postgresql', { hosts, ports: words.get('port') ?? '', name })
}

function identitiesOf(
  family: string,
  { hosts, ports, name }: { hosts: string; ports: string; name: string },
): readonly string[] {
  const portList = ports.split(',')
  return hosts.split(',').map((written, at) => {
    const [, host = '', own] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d*))?$/.exec(decoded(written)) ?? []
    const port = own || portList[at] || (portList.length === 1 ? portList[0] : '') || defaultPorts[family]
    return JSON.stringify([family, hostOf(host), Number(port), name])
  })
}

/** A pooler is another door to the same database. */
function hostOf(written: string): string {
  const host = written.toLowerCase().replace(/\.$/, '')
  if (/\.neon\.tech$/.test(host)) return host.replace(/^([^.]+)-pooler\./, '$1.')
  return numericHost(host.replace(/^\[(.*)\]$/, '$1')) ?? host
}

/** The one way to write an address, of the many that there are for those of IPv6, and IPv4 within them (RFC 5952, RFC 4291 §2.5.5.2). */
function numericHost(host: string): string | undefined {
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$|^[0-9.]+$/.test(host)) return undefined
  const address = URL.parse(host.includes(':') ? `http://[${host}]` : `http://${host}`)?.hostname
  return address && unmappedAddress(address.replace(/^\[(.*)\]$/, '$1'))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
