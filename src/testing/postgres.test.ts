import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client } from 'pg'
import { startPostgres } from './postgres.ts'

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('a cluster in a folder keeps its data and its password over a crash', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pg-test-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const first = await startPostgres({ folder, settings: { log_statement: 'all' } })
  if (first.kind === 'unavailable') return context.skip(first.reason)
  await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS one')
  await ask(first.url, 'CHECKPOINT')
  await first.crash()

  const second = await startPostgres({ folder, port: first.port })
  assert.equal(second.kind, 'running')
  if (second.kind !== 'running') return
  assert.equal(second.url, first.url)
  assert.deepEqual(await ask(second.url, 'SELECT one FROM kept'), [1])
  await second.stop()
})

test('a wrong password is refused', async (context) => {
  const server = await startPostgres()
  if (server.kind === 'unavailable') return context.skip(server.reason)
  context.after(() => server.stop())
  const wrong = server.url.replace(/:[^:@]+@/, ':wrong@')
  await assert.rejects(ask(wrong, 'SELECT 1'), { code: '28P01' })
})

test('a cluster that cannot start says why', async () => {
  const server = await startPostgres({ settings: { no_such_setting: '1' } })
  assert.equal(server.kind, 'unavailable')
  if (server.kind === 'unavailable') assert.match(server.reason, /no_such_setting|no PostgreSQL/)
})
