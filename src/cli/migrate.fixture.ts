import { join } from 'node:path'
import { Client } from 'pg'
import { startPostgres } from '../testing/index.ts'
import { runProgram, startProgram } from './program.fixture.ts'

export const exampleFolder = join(import.meta.dirname, '../../examples/migrations')
export const contractFile = join(exampleFolder, 'sallyport.yaml')
const tool = [process.execPath, join(import.meta.dirname, 'migrate-tool.fixture.ts')]

/** Rows of one statement. */
export async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return client
    .query<Record<string, unknown>>(statement)
    .then(({ rows }) => rows)
    .finally(() => client.end())
}

/** A server with as many databases as are asked for, and the variables of a migration of each. */
export async function startTestbed() {
  const server = await startPostgres()
  if (server.kind === 'unavailable') return server
  let serial = 0
  return {
    kind: 'running' as const,
    port: server.port,
    stop: () => server.stop(),
    /** With the tables that a migration builds upon, unless it is to be empty. */
    async database(empty: 'empty' | 'bootstrapped' = 'bootstrapped') {
      serial += 1
      await query(server.url, `create database orders_${serial}`)
      const url = server.url.replace(/\/postgres$/, `/orders_${serial}`)
      if (empty === 'bootstrapped')
        await query(url, 'create table tenants (id int primary key); create table runs (id int primary key)')
      return {
        url,
        env: { APP_MODE: 'local', DB_AUTHORITY: 'hosted', DB_ROLE: 'staging', DATABASE_URL: url },
      }
    },
  }
}

/** `sallyport migrate` with the example's contract. */
export function migrateWith(
  env: NodeJS.ProcessEnv,
  command: readonly string[],
  flags: readonly string[] = [],
) {
  return runProgram(['migrate', '--contract', contractFile, ...flags, '--', ...command], env)
}

export function startMigrate(env: NodeJS.ProcessEnv, words: readonly string[]) {
  return startProgram(['migrate', '--contract', contractFile, '--', ...tool, ...words], env)
}

/** The stand-in tool. */
export function tooling(...words: readonly string[]): readonly string[] {
  return [...tool, ...words]
}
