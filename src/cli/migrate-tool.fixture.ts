/** A migration tool for tests: runs what it is given against DATABASE_URL, and prints what it sees as lines. */
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
  const socket = connect({ host: words[0] ?? '', port: Number(words[1]) })
  socket.once('connect', () => {
    console.log('reached')
    socket.destroy()
  })
  socket.once('error', (error) => console.log(`not reached ${'code' in error ? error.code : ''}`))
}
