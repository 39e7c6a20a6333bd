import type { Environment, MigrationRules } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'

/** Throws `contract_invalid` for a contract that says nothing of migrations. */
export function requireMigrations(environment: Environment): MigrationRules {
  if (environment.migrations) return environment.migrations
  throw new Failure('contract_invalid', 'The contract says nothing of migrations.', {
    next: 'add `migrations`: the variable that decides, and its roles',
  })
}

/** The variable that leads to the database, of the plane that processes with this scope are bound to. Throws `contract_invalid`. */
export function connectionVariable(environment: Environment, scope: string): string {
  const plane = environment.scopes.get(scope)?.plane
  const scheme = plane === undefined ? undefined : environment.planes.get(plane)?.scheme
  if (scheme?.type === 'connectionString') return scheme.variable
  throw new Failure('contract_invalid', `The contract does not say which variable leads to the database.`, {
    next: `bind the scope \`${scope}\` to a plane whose scheme is a connectionString`,
  })
}
