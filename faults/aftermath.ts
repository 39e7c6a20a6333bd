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

/** Lease ids of the credentials that work at their provider now. */
export type Standing = {
  readonly works: ReadonlySet<string>
  /** Of those, the ones that nothing can end before their time, which is not over yet. */
  readonly bounded: ReadonlySet<string>
}

/** Who may see and end everything. */
export const warden = {
  plane: 'machine',
  tenant: 'acme',
  agent: 'warden',
  roles: ['platform'],
  method: 'certificate',
  subject: 'warden',
} as const

/** Everything that is not as it was promised, after one turn of the reconciler. `standing` is absent where the provider cannot say. */
export async function checkAftermath(
  assembled: Assembled,
  acknowledged: Acknowledged,
  standing?: () => Promise<Standing>,
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
  { works, bounded }: Standing,
): Promise<readonly string[]> {
  const live = await leasesIn(assembled, ['live'])
  const liveIds = new Set(live.map(({ id }) => id))
  const now = Date.now()
  const unexplained = [...works].filter((id) => !liveIds.has(id) && !bounded.has(id))
  const empty = live.filter(({ id, expiresAt }) => expiresAt > now && !works.has(id))
  return [
    ...(await Promise.all(unexplained.map((id) => unexplainedOne(assembled, id)))),
    ...(await withoutEntry(assembled, works)).map((id) => `the credential ${id} lives without an entry`),
    ...empty.map(({ id }) => `the live lease ${id} has no credential any more`),
    ...[...revoked].filter((id) => works.has(id)).map((id) => `${id} is revoked, and lives`),
  ]
}

async function unexplainedOne({ broker }: Assembled, id: string): Promise<string> {
  const lease = await broker.findLease(warden, id).catch(() => undefined)
  const known = lease ? `${lease.provider}, ${lease.state}, ${lease.endReason}` : 'unknown'
  return `the credential ${id} lives without a live lease (${known})`
}

/** Credentials that the log does not know of. */
async function withoutEntry({ log }: Assembled, works: ReadonlySet<string>): Promise<readonly string[]> {
  const unknown = new Set(works)
  for (let from = 0; from < log.size() && unknown.size > 0; from += entriesAtOnce)
    for (const bytes of await log.entries(from, entriesAtOnce))
      unknown.delete(parseEntry(bytes)?.lease_id ?? '')
  return [...unknown]
}

const entriesAtOnce = 1000

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
