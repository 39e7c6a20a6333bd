import { type LogReader, leafHash, parseEntry } from '../../audit/index.ts'
import type { Caller } from '../../broker/index.ts'
import { Failure } from '../../primitives/index.ts'
import {
  consistencyQuery,
  entriesQuery,
  exportLog,
  getCheckpoint,
  getCosignedCheckpoint,
  getTile,
  inclusionQuery,
  listEntries,
  proveConsistency,
  proveInclusion,
} from '../../protocol/index.ts'
import { type Exchange, identified, open, parsed, type Reply, type Route } from './exchange.ts'

/** The log as it is read: checkpoints and hashes by anybody who is known, entries by those whose role allows. */
export function logRoutes(log: LogReader): readonly Route[] {
  return [
    open(getCheckpoint, async () => ({ status: 200, text: log.checkpoint() })),
    open(getCosignedCheckpoint, async () => cosigned(log)),
    identified(getTile, (exchange) => tile(log, exchange)),
    identified(listEntries, (exchange) => entries(log, exchange)),
    identified(proveInclusion, (exchange) => inclusion(log, exchange)),
    identified(proveConsistency, async ({ query }) => {
      const claim = parsed(consistencyQuery, query, 'query')
      return { status: 200, value: { ...claim, hashes: hex(await log.consistencyProof(claim)) } }
    }),
    identified(exportLog, async ({ caller }) => {
      demandRole(caller, ['platform'])
      return { status: 200, stream: log.export() }
    }),
  ]
}

function cosigned(log: LogReader): Reply {
  const text = log.cosignedCheckpoint()
  if (text === undefined)
    throw new Failure('not_found', 'No checkpoint of this log is cosigned by its witnesses.')
  return { status: 200, text }
}

function demandRole(caller: Caller, roles: readonly Caller['roles'][number][]): void {
  if (roles.some((role) => caller.roles.includes(role))) return
  throw new Failure('not_permitted', `This needs an identity with the role ${roles.join(' or ')}.`)
}

async function tile(log: LogReader, { parameters, caller }: Exchange & { caller: Caller }): Promise<Reply> {
  const { '*': path } = Object.fromEntries(Object.entries(Object(parameters)))
  // A bundle holds the entries of every tenant.
  if (String(path).startsWith('entries/')) demandRole(caller, ['platform'])
  const file = await log.file(`tile/${path}`)
  if (!file) throw new Failure('not_found', 'The log has no such tile.')
  const headers = file.immutable ? { 'cache-control': 'private, max-age=31536000, immutable' } : {}
  return { status: 200, bytes: file.bytes, headers }
}

async function entries(log: LogReader, { query, caller }: Exchange & { caller: Caller }): Promise<Reply> {
  demandRole(caller, ['auditor', 'platform'])
  const { from, count } = parsed(entriesQuery, query, 'query')
  const found = count === 0 ? [] : await log.entries(from, count)
  const readable = found
    .map((bytes) => parseEntry(bytes))
    .filter((entry) => entry && (caller.roles.includes('platform') || entry.tenant === caller.tenant))
  return { status: 200, value: { entries: readable, next: from + found.length, size: log.size() } }
}

async function inclusion(log: LogReader, { query }: Exchange): Promise<Reply> {
  const { index, size: asked } = parsed(inclusionQuery, query, 'query')
  const [size, checkpoint] = [asked ?? log.size(), log.checkpoint()]
  const entry = await log.entry(index)
  if (!entry) throw new Failure('request_invalid', 'That is not within the log.')
  return {
    status: 200,
    value: {
      index,
      size,
      leaf_hash: leafHash(entry).toString('hex'),
      hashes: hex(await log.inclusionProof({ index, size })),
      ...(asked === undefined ? { checkpoint } : {}),
    },
  }
}

function hex(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => Buffer.from(hash).toString('hex'))
}
