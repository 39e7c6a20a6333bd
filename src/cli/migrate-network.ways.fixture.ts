/** What the inside of the network and the test that reads it have in common. */
export type Outcome = {
  readonly name: string
  readonly code: number | string
  /** That it has asked the database, and a line for each place that it tried to reach. */
  readonly out: string
  readonly err: string
}

export const addresses = {
  own: '10.77.0.5',
  other: '10.77.0.6',
  ownIpv6: 'fd77::5',
  otherIpv6: 'fd77::6',
} as const

/** Connection strings that all mean one database. */
export function waysOf(server: { password: string; port: number; sockets: string; certificate: string }) {
  const { port, sockets, certificate } = server
  const as = `postgres:${server.password}`
  const at = (host: string, query = '') => `postgresql://${as}@${host}:${port}/postgres${query}`
  return {
    'another address': at(addresses.own),
    'an address of IPv6': at(`[${addresses.ownIpv6}]`),
    'an address of IPv4 as one of IPv6': at(`[::ffff:${addresses.own}]`),
    'the loopback of IPv6': at('[::1]'),
    'another loopback': at('127.0.0.2'),
    'the name of both loopbacks': at('localhost'),
    'a host in the query': `postgresql://${as}@/postgres?host=${addresses.own}&port=${port}`,
    'a socket in the query': `postgresql://${as}@/postgres?host=${sockets}&port=${port}`,
    'a socket as the host': at(encodeURIComponent(sockets)),
    'no TLS by name': at(addresses.own, '?sslmode=disable'),
    'TLS with its authority': at('localhost', `?sslmode=verify-full&sslrootcert=${certificate}`),
    'TLS with an authority that nobody knows': at('localhost', '?sslmode=require'),
    'TLS of another name': at(addresses.own, `?sslmode=verify-full&sslrootcert=${certificate}`),
    'several hosts': `postgresql://${as}@${addresses.own}:${port},${addresses.other}:${port}/postgres`,
    'several hosts in the query': `postgresql://${as}@/postgres?host=${addresses.own},${addresses.other}`,
  }
}
