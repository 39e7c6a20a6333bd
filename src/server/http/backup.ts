import type { Broker, StoreCopy } from '../../broker/index.ts'
import { takeBackup } from '../../protocol/index.ts'
import { identified, type Route } from './exchange.ts'

/** A copy of the store, and its bytes. */
export type StoreCopier = () => Promise<
  StoreCopy & { readonly read: () => AsyncGenerator<Uint8Array, void, void> }
>

/** Hands out a copy of the store; human plane alone. */
export function backupRoutes(broker: Broker, copyStore: StoreCopier): readonly Route[] {
  return [
    identified(takeBackup, async ({ caller, requestId, signal }) => {
      const copy = await broker.backUp({ caller, requestId, take: copyStore })
      // Who goes away before the first byte never begins to read, and so never ends.
      signal.addEventListener('abort', () => void copy.discard(), { once: true })
      if (signal.aborted) await copy.discard()
      const headers = {
        'content-length': String(copy.bytes),
        'repr-digest': `sha-256=:${Buffer.from(copy.sha256, 'hex').toString('base64')}:`,
      }
      return { status: 200, headers, stream: copy.read() }
    }),
  ]
}
