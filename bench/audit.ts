import { hash } from 'node:crypto'
import { encodeEntry, leafHash } from '../src/audit/index.ts'
import { emptyTree, growTree } from '../src/audit/tree.ts'
import type { EntryDraft } from '../src/broker/index.ts'
import { type Bench, cpuMicroseconds } from './harness.ts'

const entryCount = 5_000

/** The log's own work, without disk, against the SHA-256 that RFC 6962 cannot do without. */
export const audit: Bench = {
  name: 'audit',
  title: 'encoding, hashing and appending entries against the bare SHA-256 of the same bytes',
  rounds: { full: 25, short: 3 },
  open: async () => {
    const drafts = Array.from({ length: entryCount }, (_, index) => draft(index))
    const entries = drafts.map(encodeEntry)
    const leaves = entries.map(leafHash)
    // One leaf is one hash of the entry; a tree of n leaves has n - 1 inner nodes, each one hash of 65 bytes.
    const node = Buffer.alloc(65)
    return [
      {
        row: 'encode an entry and hash its leaf',
        subject: timed('audit', () => drafts.map((one, index) => leafHash(encodeEntry(one, index)))),
        against: timed('SHA-256 of the bytes', () => entries.map((bytes) => hash('sha256', bytes, 'buffer'))),
        goal: 6,
      },
      {
        row: 'append leaves to the tree',
        subject: timed('audit', () => growTree(emptyTree, leaves)),
        against: timed('SHA-256 of 65 bytes', () => leaves.map(() => hash('sha256', node, 'buffer'))),
        goal: 3,
      },
    ]
  },
}

function timed(name: string, work: () => unknown) {
  return { name, run: () => cpuMicroseconds(work) }
}

function draft(index: number): EntryDraft {
  return {
    event: 'credential_issued',
    timestamp: new Date(1_790_000_000_000 + index).toISOString(),
    agent_id: `agent-${index % 100}`,
    tenant: 'acme',
    plane: 'machine',
    mode: 'PROD',
    scope: `s3:ListBucket on arn:aws:s3:::bucket-${index}`,
    expiry: new Date(1_790_000_900_000 + index).toISOString(),
    request_id: index.toString(16).padStart(32, '0'),
    decision: 'allow',
    rule: 'agent-reads-buckets',
    lease_id: `lse_${index.toString().padStart(26, '0')}`,
    provider: 'aws',
    contract: `sha256:${'0'.repeat(64)}`,
    outcome: 'released',
    detail: { residual_seconds: 0, attempts: 1 },
  }
}
