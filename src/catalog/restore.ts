import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  backupFailure,
  openSqliteBackup,
  openSqliteStore,
  type ReadableStore,
} from '../adapters/stores/sqlite/index.ts'
import {
  type AuditLog,
  type CheckedLog,
  checkLog,
  createLog,
  createLogKey,
  type Entry,
  epochAfter,
  importLog,
  type LogStorage,
  parseLogKey,
  type Signer,
} from '../audit/index.ts'
import type { EntryDraft, Lease, LeaseStore } from '../broker/index.ts'
import { diskTroubleOf, Failure, timestamp } from '../primitives/index.ts'
import { folderFailure, writeDataFolder } from './data-folder.ts'
import { demandEmpty, makeDraft, moveIntoPlace } from './draft-folder.ts'
import { systemClock, systemRandom } from './system.ts'

export type RestoreOptions = {
  /** The file of a backup; attacker-controlled until its log is checked. */
  readonly backupFile: string
  /** Where the broker will live: a folder that is not there yet, or empty. */
  readonly dataFolder: string
  /** The public key of the log that the backup was taken of. */
  readonly vkey: string
  /** At least this number of epoch, for who knows of restorations that came after the backup. */
  readonly epoch?: number
}

export type Restored = {
  /** The new epoch, its public key, and how many entries it begins with. */
  readonly origin: string
  readonly vkey: string
  readonly entries: number
  /** Of the backup. */
  readonly from: { readonly origin: string; readonly entries: number }
  /** Leases that were open in the backup; the broker ends their credentials as soon as it starts. */
  readonly leasesEnding: number
}

/** What the log in a backup comes to, under that key. Throws `store_invalid`. */
export async function checkBackup(file: string, vkey: string): Promise<CheckedLog> {
  const backup = openSqliteBackup(file)
  try {
    return await checkLog(backup.storage, vkey)
  } catch (thrown) {
    throw backupFailure(thrown, file)
  } finally {
    backup.close()
  }
}

/**
 * Makes a data folder from a backup: the log goes on as a new epoch with a new key, and every lease that was open then is to end, because
 * nobody knows which of them were revoked since. Everything is written into a draft of its own and moved into place at the end; a crash
 * before that leaves the draft, which nobody else touches. Throws `store_invalid` for a backup that is not what the key signed, and
 * `option_invalid` for a folder that is not empty, that the system refuses or for which there is no room.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  try {
    demandEmpty(options.dataFolder)
    const backup = openSqliteBackup(options.backupFile)
    return await restoreFrom(backup, options).finally(() => backup.close())
  } catch (thrown) {
    const told = fullOf(options.dataFolder, thrown)
    throw folderFailure(backupFailure(told, options.backupFile), options.dataFolder)
  }
}

async function restoreFrom(
  backup: ReadableStore,
  { dataFolder, vkey, epoch }: RestoreOptions,
): Promise<Restored> {
  const origin = epochAfter(vkey, epoch)
  const key = createLogKey(origin)
  const signer = parseLogKey(key)
  const draft = makeDraft(dataFolder)
  try {
    const { checked, ...counts } = await importBackup(backup, { folder: draft, vkey, signer })
    writeDataFolder(draft, { key, brokerName: checked.broker })
    moveIntoPlace(draft, dataFolder)
    const { checkpoint } = checked
    const from = { origin: checkpoint.origin, entries: checkpoint.size }
    return { origin, vkey: signer.vkey, from, ...counts }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

async function importBackup(
  backup: ReadableStore,
  { folder, vkey, signer }: { readonly folder: string; readonly vkey: string; readonly signer: Signer },
): Promise<{ readonly checked: CheckedLog; readonly entries: number; readonly leasesEnding: number }> {
  const { storage, close } = openSqliteStore({ path: join(folder, 'sallyport.db') })
  try {
    const requestId = Buffer.from(systemRandom(16)).toString('hex')
    const epoch = { signer, requestId, timestamp: timestamp(systemClock.now()) }
    const checked = await importLog({ from: backup.storage, vkey, into: storage, epoch })
    const log = await createLog({ storage, signer })
    const leasesEnding = await importLeases(backup.leases, { storage, log, requestId, checked })
    await log.close()
    return { checked, entries: log.size(), leasesEnding }
  } finally {
    close()
  }
}

/** The leases of a backup; then those that are open are moved, each with its entry. The number of the latter. */
async function importLeases(
  leases: LeaseStore,
  into: {
    readonly storage: LogStorage
    readonly log: AuditLog
    readonly requestId: string
    readonly checked: CheckedLog
  },
): Promise<number> {
  const { storage, log, requestId, checked } = into
  const about = { requestId, contract: checked.last?.contract ?? '' }
  let ending = 0
  for await (const leasesThere of leasesOf(leases, checked)) {
    const head = { size: log.size(), checkpoint: log.checkpoint() }
    await storage.commit({
      from: head.size,
      entries: [],
      leases: leasesThere,
      tiles: [],
      head,
      keepCheckpoint: false,
    })
    const open = leasesThere.filter(({ state }) => state !== 'ended' && state !== 'failed')
    const now = systemClock.now()
    await Promise.all(open.map((lease) => log.record(endingOf(lease, now, about))))
    ending += open.length
  }
  return ending
}

const pageLeases = 1_000

/** Page by page, as the log says: the table of leases is not under its signature. Also those that are missing in the table. */
async function* leasesOf(leases: LeaseStore, { openLeases }: CheckedLog): AsyncGenerator<readonly Lease[]> {
  const untold = new Map(openLeases)
  let after: string | undefined
  do {
    const page = await leases.list({}, { limit: pageLeases, ...(after === undefined ? {} : { after }) })
    yield page.leases.map((lease) => {
      const entry = untold.get(lease.id)
      untold.delete(lease.id)
      return entry ? asLogged(entry, lease) : { ...lease, handle: '' }
    })
    after = page.next
  } while (after !== undefined)
  const missing = [...untold.values()].map((entry) => asLogged(entry))
  for (let at = 0; at < missing.length; at += pageLeases) yield missing.slice(at, at + pageLeases)
}

/** An open lease: who has it, until when, and what its provider will be told, the log says; of the table is only what the log does not know. */
function asLogged(entry: Entry, stored?: Lease): Lease {
  const { timestamp: createdAt, expiry, plane, detail } = entry
  const expiresAt = Date.parse(expiry ?? createdAt)
  return {
    service: '',
    action: '',
    resource: '',
    requestDigest: '',
    endAttempts: 0,
    createdAt: Date.parse(createdAt),
    ...stored,
    id: entry.lease_id ?? '',
    tenant: entry.tenant,
    agent: entry.agent_id,
    plane: plane === 'broker' ? 'machine' : plane,
    mode: entry.mode,
    provider: entry.provider ?? '',
    scope: entry.scope,
    grant: entry.rule ?? '',
    requestId: entry.request_id,
    expiresAt,
    providerExpiresAt: Date.parse(String(detail?.['provider_not_after'])) || expiresAt,
    handle: String(detail?.['handle'] ?? ''),
    state: !stored || stored.state === 'ended' || stored.state === 'failed' ? 'live' : stored.state,
  }
}

function endingOf(
  lease: Lease,
  now: number,
  { requestId, contract }: { readonly requestId: string; readonly contract: string },
): { readonly entry: EntryDraft; readonly lease: Lease } {
  const entry: EntryDraft = {
    event: 'lease_ending',
    timestamp: timestamp(now),
    agent_id: lease.agent,
    tenant: lease.tenant,
    plane: lease.plane,
    mode: lease.mode,
    scope: lease.scope,
    expiry: timestamp(lease.expiresAt),
    request_id: requestId,
    decision: null,
    rule: lease.grant,
    lease_id: lease.id,
    provider: lease.provider,
    contract,
    outcome: 'orphaned',
  }
  return { entry, lease: { ...lease, state: 'ending', endReason: 'orphaned', nextActionAt: now } }
}

/** SQLite or the file system says so, or it is the cause of what the store or the log says. */
function fullOf(folder: string, thrown: unknown): unknown {
  const trouble = diskTroubleOf(thrown)
  if (trouble?.kind !== 'full') return thrown
  return new Failure(
    'option_invalid',
    `There is no room for the data folder ${folder} (${trouble.reason}).`,
    {
      cause: thrown,
      next: 'make room, or name a folder elsewhere; nothing of it was left behind',
    },
  )
}
