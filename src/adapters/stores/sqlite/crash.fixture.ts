import { readFileSync } from 'node:fs'
import { createLog, parseLogKey } from '../../../audit/index.ts'
import type { EntryDraft, Lease } from '../../../broker/index.ts'
import { Secret } from '../../../primitives/index.ts'
import { openSqliteStore } from './index.ts'

// A process of its own, which crash.test.ts kills: sixteen callers append, and print index and lease of what was acknowledged.
// It takes no fixtures from `testing`, whose packages would make each of its starts slower.
const [path = '', keyFile = '', round = ''] = process.argv.slice(2)
const store = openSqliteStore({ path })
const signer = parseLogKey(new Secret(readFileSync(keyFile, 'utf8')))
const log = await createLog({ storage: store.storage, signer })
let serial = Number(round) * 1_000_000

async function callWithoutEnd(): Promise<never> {
  for (;;) {
    serial += 1
    const lease = leaseOf(serial)
    const { index } = await log.record({ entry: entryOf(lease), lease })
    process.stdout.write(`${index} ${lease.id}\n`)
  }
}

function leaseOf(number: number): Lease {
  return {
    id: `lse_${number}`,
    tenant: 'acme',
    agent: 'agent-7',
    plane: 'machine',
    mode: 'LOCAL',
    service: 'orders-db',
    action: 'read-table',
    resource: 'public.orders',
    provider: 'orders-db',
    scope: 'SELECT on public.orders',
    grant: 'agent-7-reads-orders',
    requestId: '4bf92f3577b34da6a3ce929d0e0e4736',
    state: 'intended',
    createdAt: number,
    expiresAt: number,
    providerExpiresAt: number,
    handle: '',
    requestDigest: '',
    endAttempts: 0,
  }
}

function entryOf(lease: Lease): EntryDraft {
  return {
    event: 'credential_intended',
    timestamp: '2030-01-01T00:00:00.000Z',
    agent_id: lease.agent,
    tenant: lease.tenant,
    plane: lease.plane,
    mode: lease.mode,
    scope: lease.scope,
    expiry: null,
    request_id: lease.requestId,
    decision: 'allow',
    rule: lease.grant,
    lease_id: lease.id,
    provider: lease.provider,
    contract: '',
    outcome: 'intended',
  }
}

await Promise.all(Array.from({ length: 16 }, callWithoutEnd))
