/** A migration tool for tests: runs what it is given against DATABASE_URL, and prints what it sees as lines. */
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Client } from 'pg'

const [what = '', ...words] = process.argv.slice(2)

async function sql(statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: process.env['DATABASE_URL'] ?? '' })
  client.on('error', () => undefined)
  await client.connect()
  for (const statement of statements) await client.query(statement)
  console.log('done')
  await client.end()
}

if (what === 'sql') await sql(words)
if (what === 'begin') {
  // Ends by a signal alone, with a transaction that is open.
  await sql(['select 1'])
  const client = new Client({ connectionString: process.env['DATABASE_URL'] ?? '' })
  client.on('error', () => process.exit(9))
  await client.connect()
  await client.query(`begin; ${words[0]}`)
  console.log(`pid ${process.pid}`)
  process.on('SIGTERM', () => process.exit(43))
  setInterval(() => undefined, 1000)
}
if (what === 'exit') process.exitCode = Number(words[0])
if (what === 'env') console.log(JSON.stringify(process.env))
if (what === 'reach') {
  await sql(['select 1'])
  for (const place of words) console.log(`${place} ${await reached(place)}`)
}

/** `HOST PORT` in one word, a path or name of a Unix socket, `@NAME` of an abstract one, or `name:NAME` for a name to look up. */
async function reached(place: string): Promise<string> {
  try {
    if (place.startsWith('name:')) return `known ${(await lookup(place.slice(5))).address}`
    const [host = '', port] = place.split(' ')
    const path = host.replace(/^@/, '\0')
    const socket = port === undefined ? connect({ path }) : connect({ host, port: Number(port) })
    await once(socket, 'connect', { signal: AbortSignal.timeout(3000) })
    socket.destroy()
    return 'reached'
  } catch (thrown) {
    return `not reached ${thrown instanceof Error && 'code' in thrown ? thrown.code : ''}`
  }
}
