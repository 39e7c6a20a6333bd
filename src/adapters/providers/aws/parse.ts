import type { z } from 'zod'
import type { Place } from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'

/** What is being read: who it belongs to, the key under which it stands, and where that is in the contract. */
export type Reading = { readonly owner: string; readonly key: string; readonly place: Place }

/** The value by its schema. Throws `contract_invalid` with owner, line, key and every thing that is wrong. */
export function parseAt<T>(schema: z.ZodType<T>, value: unknown, reading: Reading): T {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw contractInvalid(
    reading,
    read.error.issues.map(({ path, message }) => ({ path: path.map(String), message })),
  )
}

export type Wrong = { readonly path: readonly string[]; readonly message: string }

export function contractInvalid({ owner, key, place }: Reading, wrongs: readonly Wrong[]): Failure {
  const told = wrongs.map(({ path, message }) => `${[key, ...path].join('.')}: ${message}`).join('; ')
  return new Failure('contract_invalid', `Line ${place.line}: ${owner}: ${told}`)
}
