import { randomBytes } from 'node:crypto'
import { openSqliteStore } from '../../src/adapters/stores/sqlite/index.ts'
import { createLog } from '../../src/audit/index.ts'
import type { EntryDraft, Lease } from '../../src/broker/index.ts'
import { openDataFolder } from '../../src/catalog/data-folder.ts'
import { newId, sha256Hex, timestamp } from '../../src/primitives/index.ts'
import { agentsOf } from './contract.ts'

const hourMs = 3_600_000
const atOnce = 1_000

/** Fills a broker's data folder with live leases of the `jwt` provider, each with its entry, as if they had been issued now. */
export async function seedLeases(
  dataFolder: string,
  { tenant, count }: { readonly tenant: string; readonly count: number },
): Promise<void> {
  const folder = openDataFolder(dataFolder, 'bench')
  const store = openSqliteStore({ path: folder.storeFile })
  const log = await createLog({ storage: store.storage, signer: folder.signer })
  const agents = agentsOf(tenant)
  for (let seeded = 0; seeded < count; seeded += atOnce) {
    const leases = Array.from({ length: Math.min(atOnce, count - seeded) }, (_, index) =>
      liveLease(tenant, agents[index % agents.length] ?? ''),
    )
    await Promise.all(leases.map((lease) => log.record({ entry: issuedEntry(lease), lease })))
  }
  await log.close()
  store.close()
}

export function liveLease(tenant: string, agent: string): Lease {
  const now = Date.now()
  const id = newId({ prefix: 'lse', now, random: randomBytes })
  return {
    id,
    tenant,
    agent,
    plane: 'machine',
    mode: 'BENCH',
    service: 'orders-api',
    action: 'read-order',
    resource: 'order-7',
    provider: 'tokens',
    scope: 'orders:read on order-7',
    grant: `${tenant}-orders`,
    requestId: randomBytes(16).toString('hex'),
    state: 'live',
    createdAt: now,
    expiresAt: now + hourMs,
    providerExpiresAt: now + hourMs,
    handle: id,
    requestDigest: '',
    endAttempts: 0,
    nextActionAt: now + hourMs,
  }
}

export function issuedEntry(lease: Lease): EntryDraft {
  return {
    event: 'credential_issued',
    timestamp: timestamp(lease.createdAt),
    agent_id: lease.agent,
    tenant: lease.tenant,
    plane: lease.plane,
    mode: lease.mode,
    scope: lease.scope,
    expiry: timestamp(lease.expiresAt),
    request_id: lease.requestId,
    decision: 'allow',
    rule: lease.grant,
    lease_id: lease.id,
    provider: lease.provider,
    contract: `sha256:${sha256Hex('bench')}`,
    outcome: 'issued',
    detail: {
      attempts: 1,
      enforced_by: 'token-exp',
      handle: lease.handle,
      identified_by: 'token',
      mint_ms: 1,
      provider_not_after: timestamp(lease.providerExpiresAt),
      subject: `https://issuer.example.test#${lease.agent}`,
    },
  }
}
