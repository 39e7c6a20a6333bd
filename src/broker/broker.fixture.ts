import assert from 'node:assert/strict'
import { openSqliteStore } from '../adapters/stores/sqlite/index.ts'
import type { LogStorage } from '../audit/index.ts'
import { Failure, type FailureCode } from '../primitives/index.ts'
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../testing/broker.ts'
import type { FakeProvider } from '../testing/fake-provider.ts'
import type { Ledger, Provider } from './index.ts'

/** A test broker over a SQLite store in memory. */
export function openBroker(options: Partial<TestBrokerOptions> = {}): Promise<TestBroker> {
  return createTestBroker({ store: openSqliteStore({ path: ':memory:' }), ...options })
}

/** A store in memory whose disk can be broken and healed. */
export function openBreakableStore() {
  const { storage, leases } = openSqliteStore({ path: ':memory:' })
  const disk = { broken: false }
  const breakable: LogStorage = {
    ...storage,
    async commit(batch) {
      if (disk.broken) throw new Error('EIO')
      await storage.commit(batch)
    },
  }
  return { disk, store: { storage: breakable, leases } }
}

/** Writes down the order in which the log and the provider are used. */
export function createJournal() {
  const lines: string[] = []
  const noted =
    <Input extends unknown[], Output>(name: string, work: (...input: Input) => Promise<Output>) =>
    async (...input: Input) => {
      lines.push(name)
      return work(...input)
    }
  return {
    lines,
    ledger: (log: Ledger): Ledger => ({
      writable: () => log.writable(),
      async record(change) {
        const receipt = await log.record(change)
        lines.push(`durable ${change.entry.event}`)
        return receipt
      },
    }),
    around: (fake: FakeProvider): Provider => ({
      ...fake,
      mint: noted('mint', fake.mint),
      revoke: noted('revoke', fake.revoke),
      probe: noted('probe', fake.probe),
    }),
  }
}

export const unreachable = new Failure('provider_unreachable', 'The provider cannot be reached.')
export const refused = new Failure('provider_refused', 'The provider said no.')
export const throttled = new Failure('provider_throttled', 'The provider is busy.')

/** For `assert.rejects`. */
export function fails(code: FailureCode, message = /./) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof Failure, String(thrown))
    assert.equal(thrown.code, code)
    assert.match(thrown.message, message)
    return true
  }
}

/** Random bytes that always say the same: 0 for the shortest pause, 255 for the longest; ids stay apart. */
export function constantChance(byte: number) {
  let serial = 0
  return (size: number) => {
    if (size === 2) return new Uint8Array([byte, byte])
    serial += 1
    const bytes = new Uint8Array(size)
    new DataView(bytes.buffer).setUint32(size - 4, serial)
    for (let at = 0; at < 4; at += 1) bytes[at] = (serial >> (5 * at)) & 31
    return bytes
  }
}
