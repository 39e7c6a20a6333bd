import { requestText } from './load.ts'
import { type OpenBao, startOpenBao } from './openbao.ts'
import { roleSql } from './role-sql.ts'

/** An OpenBao that makes roles with the broker's statements, and what asks it for one. */
export type OpenBaoDatabase = {
  readonly server: OpenBao
  readonly requests: Readonly<Record<Rounds, string>>
}

/** Rounds of SCRAM in the verifier of a role. */
export type Rounds = 'many' | 'one'

/**
 * OpenBao makes a verifier of 4096 rounds and of no other number. With one round the server makes it, of a password that stands in the statement:
 * less than the broker does, but the only way there is.
 */
const ways = {
  many: { authentication: 'scram-sha-256', before: [] },
  one: { authentication: 'password', before: ['SET LOCAL scram_iterations = 1'] },
} as const

export async function startOpenBaoDatabase(
  world: AsyncDisposableStack,
  url: string,
): Promise<OpenBaoDatabase> {
  const server = await startOpenBao(world)
  await server.call('POST', 'sys/mounts/database', { type: 'database' })
  await configure(server, url, 'many')
  await configure(server, url, 'one')
  const request = (rounds: Rounds) =>
    requestText({
      method: 'GET',
      path: `/v1/database/creds/${rounds}`,
      headers: { 'x-vault-token': server.rootToken },
    })
  return { server, requests: { many: request('many'), one: request('one') } }
}

async function configure(server: OpenBao, url: string, rounds: Rounds): Promise<void> {
  const { username, password, host } = new URL(url)
  const { authentication, before } = ways[rounds]
  await server.call('POST', `database/config/${rounds}`, {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: '*',
    connection_url: `postgresql://{{username}}:{{password}}@${host}/postgres?sslmode=disable`,
    username,
    password,
    password_authentication: authentication,
  })
  const role = { role: '{{name}}', verifier: '{{password}}', validUntil: '{{expiration}}' }
  await server.call('POST', `database/roles/${rounds}`, {
    db_name: rounds,
    default_ttl: '15m',
    max_ttl: '1h',
    creation_statements: [...before, ...roleSql(role)],
  })
}
