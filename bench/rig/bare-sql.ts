/**
 * What the `postgres` provider writes and nothing else, again and again: `node bare-sql.ts ORDER` prints how many roles it made a second. Each
 * role is one transaction in one text, over four connections, with which it is fastest; the password is hashed once for all.
 */
import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { scramVerifier } from '../../src/adapters/providers/postgres/scram.ts'
import { newId, Secret, timestamp } from '../../src/primitives/index.ts'
import { roleSql } from './role-sql.ts'

export type BareSqlOrder = {
  readonly url: string
  readonly concurrent: number
  readonly seconds: number
  readonly scramIterations: number
}

const order: BareSqlOrder = JSON.parse(process.argv[2] ?? '')
const pool = new Pool({ connectionString: order.url, max: 4 })
const verifier = await scramVerifier(new Secret('the same for all'), {
  salt: randomBytes(16),
  iterations: order.scramIterations,
})

await makeOne()
const until = performance.now() + order.seconds * 1000
let made = 0
await Promise.all(
  Array.from({ length: order.concurrent }, async () => {
    for (; performance.now() < until; made += 1) await makeOne()
  }),
)
console.log(made / order.seconds)
await pool.end()

async function makeOne(): Promise<void> {
  const now = Date.now()
  const role = newId({ prefix: 'lse', now, random: randomBytes })
  const statements = roleSql({ role, verifier, validUntil: timestamp(now + 900_000) })
  await pool.query(['BEGIN', ...statements, 'COMMIT'].join(';\n'))
}
