import { z } from 'zod'
import { protocolLimits } from './limits.ts'
import type { Operation } from './operation.ts'
import { wholeNumber } from './whole-number.ts'

const whole = wholeNumber(z.coerce.number().int().min(0).max(protocolLimits.positionMax))

export const getCheckpoint: Operation = {
  id: 'checkpoint',
  method: 'GET',
  path: '/log/checkpoint',
  summary: 'The newest signed checkpoint (C2SP tlog-checkpoint)',
  access: 'public',
  planes: ['machine', 'human'],
  answers: { 200: { description: 'A signed note.', type: 'text/plain; charset=utf-8' } },
}

export const getTile: Operation = {
  id: 'tile',
  method: 'GET',
  path: '/log/tile/*',
  summary: 'A tile of hashes, or with the role platform a bundle of entries (C2SP tlog-tiles)',
  access: 'identified',
  planes: ['machine', 'human'],
  answers: { 200: { description: 'Bytes; a full tile never changes.', type: 'application/octet-stream' } },
}

export const entriesQuery = z.strictObject({
  from: whole.default(0),
  count: wholeNumber(z.coerce.number().int().min(0).max(protocolLimits.pageEntriesMax)).default(100),
})

export const listEntries: Operation = {
  id: 'listEntries',
  method: 'GET',
  path: '/v1/log/entries',
  summary: 'Entries from a position on; an auditor sees its tenant, platform sees all',
  access: 'identified',
  planes: ['machine', 'human'],
  query: entriesQuery,
  answers: {
    200: {
      description: 'Entries in order; `next` is where to go on.',
      type: 'application/json',
      schema: z.object({
        entries: z.array(z.record(z.string(), z.unknown())),
        next: z.number().int(),
        size: z.number().int(),
      }),
    },
  },
}

export const inclusionQuery = z.strictObject({ index: whole, size: whole.optional() })

export const proveInclusion: Operation = {
  id: 'proveInclusion',
  method: 'GET',
  path: '/v1/log/proof/inclusion',
  summary: 'That an entry is in the tree of a size (RFC 6962 §2.1.1)',
  access: 'identified',
  planes: ['machine', 'human'],
  query: inclusionQuery,
  answers: {
    200: {
      description:
        'Hexadecimal hashes from leaf to root, with the checkpoint they lead to when `size` is not given.',
      type: 'application/json',
      schema: z.object({
        index: z.number().int(),
        size: z.number().int(),
        leaf_hash: z.string(),
        hashes: z.array(z.string()),
        checkpoint: z.string().optional(),
      }),
    },
  },
}

export const consistencyQuery = z.strictObject({ from: whole, to: whole })

export const proveConsistency: Operation = {
  id: 'proveConsistency',
  method: 'GET',
  path: '/v1/log/proof/consistency',
  summary: 'That the log only grew between two sizes (RFC 6962 §2.1.2)',
  access: 'identified',
  planes: ['machine', 'human'],
  query: consistencyQuery,
  answers: {
    200: {
      description: 'Hexadecimal hashes.',
      type: 'application/json',
      schema: z.object({ from: z.number().int(), to: z.number().int(), hashes: z.array(z.string()) }),
    },
  },
}

export const exportLog: Operation = {
  id: 'exportLog',
  method: 'GET',
  path: '/v1/log/export',
  summary: 'The whole log as lines, for offline verification; role platform',
  access: 'identified',
  planes: ['machine', 'human'],
  answers: { 200: { description: 'JSON lines; the last one is the checkpoint.', type: 'application/jsonl' } },
}
