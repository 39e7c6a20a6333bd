import { createHash } from 'node:crypto'
import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import type { SqliteStore } from '../adapters/stores/sqlite/index.ts'
import type { StoreCopy } from '../broker/index.ts'
import { Failure } from '../primitives/index.ts'

/** A copy of the store whose bytes can be read once. */
export type ReadableCopy = StoreCopy & { readonly read: () => AsyncGenerator<Uint8Array, void, void> }

/** Bytes that are read at once. */
const chunkBytes = 262_144

/**
 * What takes copies of a store that is in use, one at a time; a second one meanwhile is `overloaded`. The copy has no name on the disk any
 * more when it is handed out, so that a crash leaves nothing behind but, at worst, the draft that the next copy replaces.
 */
export function createStoreCopier(
  store: Pick<SqliteStore, 'copyTo'>,
  path: string,
): () => Promise<ReadableCopy> {
  let busy = false
  return async () => {
    if (busy) throw new Failure('overloaded', 'Another backup is being taken.', { next: 'try again later' })
    busy = true
    let file: FileHandle | undefined
    let released = false
    // Once for each copy: a late word about this one must not set the next one free.
    const release = async () => {
      if (released) return
      released = true
      await file?.close()
      busy = false
    }
    try {
      await store.copyTo(path)
      const { size } = await stat(path)
      file = await open(path, 'r')
      await rm(path)
      return await describeCopy(file, size, release)
    } catch (thrown) {
      await release()
      throw unavailable(thrown)
    }
  }
}

async function describeCopy(
  file: FileHandle,
  bytes: number,
  discard: () => Promise<void>,
): Promise<ReadableCopy> {
  const hash = createHash('sha256')
  for await (const chunk of readAll(file, bytes)) hash.update(chunk)
  return {
    bytes,
    sha256: hash.digest('hex'),
    discard,
    async *read() {
      let last: Uint8Array | undefined
      try {
        for await (const chunk of readAll(file, bytes)) {
          if (last) yield last
          last = chunk
        }
      } finally {
        await discard()
      }
      // Given out when the copy is done with: whoever has the whole of it may ask for the next one at once.
      if (last) yield last
    },
  }
}

async function* readAll(file: FileHandle, bytes: number): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at)
    if (bytesRead === 0) throw new Error('The copy of the store is shorter than it was.')
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

function unavailable(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  return new Failure('store_invalid', 'The store cannot be copied now.', {
    internal: thrown instanceof Error ? thrown.message : '',
    cause: thrown,
    next: 'is there room for a second copy beside the store?',
  })
}
