import { openPostgresDatabase } from '../adapters/databases/postgres/index.ts'
import type { MigrationDatabase } from '../migration/index.ts'
import { Failure, type Secret } from '../primitives/index.ts'

const databases = [{ schemes: /^postgres(ql)?(\+[a-z0-9_]+)?:/, open: openPostgresDatabase }] as const

/** The database of a connection string. Throws `migration_refused` for one of a kind that nobody knows, or that cannot be read. */
export function openMigrationDatabase(connection: Secret): MigrationDatabase {
  const kind = databases.find(({ schemes }) => schemes.test(connection.reveal()))
  if (kind) return kind.open(connection)
  throw new Failure('migration_refused', 'Migrations are held for PostgreSQL alone.', {
    next: 'write postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
  })
}
