import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AuditLog,
  createLog,
  createLogKey,
  parseLogKey,
  parseWitnessKey,
  type Signer,
} from '../audit/index.ts'
import type { Alert } from '../broker/index.ts'
import { entryFixture } from '../testing/ledger.ts'
import { createMemoryStorage } from '../testing/log-storage.ts'
import {
  createWitness,
  createWitnessListener,
  formatSubmission,
  openWitnessState,
  type WitnessState,
} from './index.ts'

export const logKey = createLogKey('log.example.test/witnessed')
export const signer = parseLogKey(logKey)

/** A witness that listens on loopback, with its state in a folder of its own. */
export type ListeningWitness = {
  readonly url: string
  readonly vkey: string
  readonly folder: string
  /** What it wrote to its log. */
  readonly told: Readonly<Record<string, unknown>>[]
  post(body: string): Promise<{ status: number; type: string | null; body: string }>
  /** Stops listening; the folder stays. */
  stop(): Promise<void>
  remove(): Promise<void>
}

export async function startWitness(
  options: {
    readonly logs?: readonly string[]
    readonly name?: string
    readonly folder?: string
    readonly key?: ReturnType<typeof createLogKey>
    readonly state?: (state: WitnessState) => WitnessState
    readonly port?: number
  } = {},
): Promise<ListeningWitness> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'sallyport-witness-'))
  const cosigner = parseWitnessKey(options.key ?? createLogKey(options.name ?? 'witness.example.test/w1'))
  const stored = openWitnessState(folder)
  const state = options.state?.(stored) ?? stored
  const witness = createWitness({
    cosigner,
    logs: options.logs ?? [signer.vkey],
    state,
    now: () => Date.now(),
  })
  const told: Readonly<Record<string, unknown>>[] = []
  const server = createWitnessListener({ witness, log: (line) => told.push(line) })
  const url = await listen(server, options.port ?? 0)
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    stored.close()
  }
  return {
    url,
    vkey: cosigner.vkey,
    folder,
    told,
    async post(body) {
      const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
      return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() }
    },
    stop,
    async remove() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      assert.ok(address && typeof address === 'object')
      resolve(`http://127.0.0.1:${address.port}`)
    })
  })
}

/** A log in memory with so many entries. */
export async function logOf(
  counts: Readonly<Record<string, number>>,
  key: Signer = signer,
): Promise<AuditLog> {
  const log = await createLog({ storage: createMemoryStorage(), signer: key })
  for (const [outcome, count] of Object.entries(counts)) await append(log, outcome, count)
  return log
}

export async function append(log: AuditLog, outcome: string, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => log.record({ entry: entryFixture({ outcome }) })))
}

/** The body that submits the log's newest checkpoint after one of that size. */
export async function submissionOf(log: AuditLog, oldSize: number): Promise<string> {
  const proof = await log.consistencyProof({ from: oldSize, to: log.size() })
  return formatSubmission({ oldSize, proof, checkpoint: log.checkpoint() })
}

/** An alerter that remembers. */
export function createRecorder() {
  const alerts: Alert[] = []
  return { alerts, raise: (alert: Alert) => void alerts.push(alert) }
}
