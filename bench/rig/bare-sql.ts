/**
 * The SQL of the `postgres` provider and nothing else, again and again: `node bare-sql.ts ORDER` prints how many roles it made a second. The
 * statements are the provider's own, over as many connections as it has; the password is hashed once for all.
 */
import { randomBytes } from 'node:crypto'
import { openDatabase } from '../../src/adapters/providers/postgres/database.ts'
import { createRole } from '../../src/adapters/providers/postgres/role.ts'
import { scramVerifier } from '../../src/adapters/providers/postgres/scram.ts'
import { newId, Secret } from '../../src/primitives/index.ts'

export type BareSqlOrder = { readonly url: string; readonly concurrent: number; readonly seconds: number }

const order: BareSqlOrder = JSON.parse(process.argv[2] ?? '')
const { hostname: host, port, username: user, password } = new URL(order.url)
const server = {
  host,
  port: Number(port),
  database: 'postgres',
  user,
  password: new Secret(password),
  tls: undefined,
}
const database = openDatabase(server, { poolMax: 4 })
const verifier = await scramVerifier(new Secret('the same for all'), randomBytes(16))
const target = { privilege: 'SELECT', schema: 'public', table: 'orders', name: 'public.orders' } as const
const config = {
  server,
  poolMax: 4,
  leaseStatementTimeoutSeconds: 30,
  connectionsPerLeaseMax: 2,
  rotates: new Map<string, string>(),
}
const { signal } = new AbortController()

await makeOne()
const until = performance.now() + order.seconds * 1000
let made = 0
await Promise.all(
  Array.from({ length: order.concurrent }, async () => {
    for (; performance.now() < until; made += 1) await makeOne()
  }),
)
console.log(made / order.seconds)
await database.close()

async function makeOne(): Promise<void> {
  const now = Date.now()
  const leaseId = newId({ prefix: 'lse', now, random: randomBytes })
  const place = { line: 1, column: 1 }
  const action = { name: 'read-table', resource: '{schema}.{table}', means: {}, place }
  const mintOrder = {
    leaseId,
    tenant: 'acme',
    agent: 'agent-0-of-acme',
    action,
    resource: target.name,
    parts: { schema: target.schema, table: target.table },
    notAfter: now + 900_000,
    requestId: 'bare',
  }
  const making = { order: mintOrder, target, verifier, config, brokerName: 'bench' }
  await database.transaction(signal, (ask) => createRole(ask, making))
}
