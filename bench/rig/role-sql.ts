import type { Access } from '../../src/adapters/providers/postgres/access.ts'
import { type RoleOrder, roleStatements } from '../../src/adapters/providers/postgres/role.ts'
import { timestamp } from '../../src/primitives/index.ts'

/** The group that those stand in whom the bench makes; the provider makes a group of its own. */
export const group = 'bench_readers'

/** What the `postgres` provider writes for a lease, with these values in it. */
export function roleSql(values: {
  readonly role: string
  readonly verifier: string
  readonly validUntil: string
}): readonly string[] {
  return written.map((statement) =>
    statement
      .replaceAll(sample.leaseId, values.role)
      .replaceAll(sample.verifier, values.verifier)
      .replaceAll(timestamp(sample.notAfter), values.validUntil),
  )
}

const sample = { leaseId: 'lse_sample', verifier: 'SCRAM-sample', notAfter: 946_684_800_000 } as const

const target = { privilege: 'SELECT', schema: 'public', table: 'orders', name: 'public.orders' } as const

const access: Access = {
  target,
  group,
  server: { version: 180_000, databaseOid: 0 },
  opens: { schema: true, database: true },
}

const order: RoleOrder = {
  order: {
    leaseId: sample.leaseId,
    tenant: 'acme',
    agent: 'agent-0-of-acme',
    action: { name: 'read-table', resource: '{schema}.{table}', means: {}, place: { line: 1, column: 1 } },
    resource: target.name,
    parts: { schema: target.schema, table: target.table },
    notAfter: sample.notAfter,
    requestId: '0af7651916cd43dd8448eb211c80319c',
  },
  access,
  verifier: sample.verifier,
  limits: { leaseStatementTimeoutSeconds: 30, connectionsPerLeaseMax: 2 },
  brokerName: 'bench',
}

const written = roleStatements(access, [order])
