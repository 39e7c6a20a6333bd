import { parseEntry, verifyExport } from '../src/audit/index.ts'
import type { Lease } from '../src/broker/index.ts'
import type { Assembled } from '../src/catalog/index.ts'

/** What callers were told, over all rounds. */
export type Acknowledged = {
  readonly issued: { readonly leaseId: string; readonly receipt: Receipt }[]
  /** Leases of which a caller was told that their dead credential was tried, and refused. */
  readonly revoked: Set<string>
}

type Receipt = { readonly index: number; readonly leaf_hash: string; readonly checkpoint: string }

/** Who may see and end everything. */
export const warden = {
  plane: 'machine',
  tenant: 'acme',
  agent: 'warden',
  roles: ['platform'],
  method: 'certificate',
  subject: 'warden',
} as const

/**
 * Everything that is not as it was promised, after one turn of the reconciler. `standing` gives the credentials that the provider has, by
 * lease id; absent where it cannot say.
 */
export async function checkAftermath(
  assembled: Assembled,
  acknowledged: Acknowledged,
  standing?: () => Promise<ReadonlySet<string>>,
): Promise<readonly string[]> {
  const unfinished = await leasesIn(assembled, ['intended', 'ending'])
  const credentials = standing && (await standing())
  return [
    ...unfinished.map((lease) => `${lease.id} is still ${lease.state}`),
    ...(credentials ? await strays(assembled, acknowledged, credentials) : []),
    ...(await missingIssuances(assembled, acknowledged)),
    ...(await faultsOfLog(assembled, acknowledged)),
  ]
}

/** Credentials without a live lease, live leases without a credential, and the revoked that live on. */
async function strays(
  assembled: Assembled,
  { revoked }: Acknowledged,
  credentials: ReadonlySet<string>,
): Promise<readonly string[]> {
  const live = await leasesIn(assembled, ['live'])
  const liveIds = new Set(live.map(({ id }) => id))
  const now = Date.now()
  const unexplained = [...credentials].filter((id) => !liveIds.has(id))
  const empty = live.filter(({ id, expiresAt }) => expiresAt > now && !credentials.has(id))
  return [
    ...unexplained.map((id) => `the credential ${id} lives without a live lease`),
    ...empty.map(({ id }) => `the live lease ${id} has no credential any more`),
    ...[...revoked].filter((id) => credentials.has(id)).map((id) => `${id} is revoked, and lives`),
  ]
}

async function leasesIn({ broker }: Assembled, states: readonly Lease['state'][]): Promise<readonly Lease[]> {
  const leases: Lease[] = []
  let after: string | undefined
  do {
    const page = await broker.listLeases(
      warden,
      { states },
      { limit: 1000, ...(after === undefined ? {} : { after }) },
    )
    leases.push(...page.leases)
    after = page.next
  } while (after !== undefined)
  return leases
}

/** Every acknowledged issuance has its lease, and its entry where the receipt says. */
async function missingIssuances(
  { broker, log }: Assembled,
  { issued }: Acknowledged,
): Promise<readonly string[]> {
  const missing: string[] = []
  for (const { leaseId, receipt } of issued) {
    const bytes = await log.entry(receipt.index)
    const entry = bytes && parseEntry(bytes)
    if (entry?.lease_id !== leaseId || entry.event !== 'credential_issued')
      missing.push(`the entry of ${leaseId} is not at ${receipt.index}`)
    const lease = await broker.findLease(warden, leaseId).catch(() => undefined)
    if (!lease || lease.state === 'intended' || lease.state === 'failed')
      missing.push(`the lease ${leaseId} is not there`)
  }
  return missing
}

/** The export holds under the pinned key, and against the newest checkpoint that any caller was given. */
async function faultsOfLog({ log }: Assembled, { issued }: Acknowledged): Promise<readonly string[]> {
  const newest = issued.reduce<Receipt | undefined>(
    (best, { receipt }) => (best && best.index > receipt.index ? best : receipt),
    undefined,
  )
  const known = newest ? { knownCheckpoint: newest.checkpoint } : {}
  const verdict = await verifyExport(log.export(), { vkeys: [log.vkey], ...known })
  return verdict.kind === 'verified' ? [] : [`the log is ${verdict.kind}: ${JSON.stringify(verdict)}`]
}
