import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../../primitives/index.ts'
import { keySuits } from './algorithm.ts'
import type { JsonObject } from './json.ts'
import type { KeySource } from './key-source.ts'
import { readPublicKey } from './signature.ts'

export type KeySetLimits = {
  /** Keys older than this verify nothing: without a newer set every token of the issuer is refused. */
  readonly maxAgeSeconds: number
  /** Keys older than this are fetched anew, while the old ones still verify. */
  readonly refreshAfterSeconds: number
  /** After a fetch, a key id that is not in the set is not asked for again this long, whoever invents one. */
  readonly unknownKeyCooldownSeconds: number
  /** After a failed fetch, the issuer is left alone this long. */
  readonly failureCooldownSeconds: number
  /** Discovery and key set together. */
  readonly fetchTimeoutMilliseconds: number
}

export const keySetLimits: KeySetLimits = {
  maxAgeSeconds: 600,
  refreshAfterSeconds: 300,
  unknownKeyCooldownSeconds: 10,
  failureCooldownSeconds: 2,
  fetchTimeoutMilliseconds: 5_000,
}

/** `internal` says for the log why the keys are not to be had. */
export type KeySearch =
  | { readonly kind: 'found'; readonly key: KeyObject }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly internal: string }

export type WantedKey = { readonly keyId: string | undefined; readonly algorithm: string }

/** The public keys of one issuer, fetched when they are needed and kept for a while. */
export interface KeySet {
  /** Never rejects; an aborted signal gives `unavailable`. Callers that wait at the same time share one fetch. */
  find(wanted: WantedKey, signal: AbortSignal): Promise<KeySearch>
}

export function createKeySet(options: {
  readonly source: KeySource
  readonly clock: Clock
  readonly limits: KeySetLimits
}): KeySet {
  const { source, clock, limits } = options
  let held: { readonly keys: readonly JsonObject[]; readonly at: number } | undefined
  let failure: { readonly internal: string; readonly at: number } | undefined
  let fetching: Promise<void> | undefined

  // A clock that went backwards makes everything old, never young.
  const secondsSince = (time: number | undefined) =>
    time === undefined || clock.now() < time ? Infinity : (clock.now() - time) / 1000
  const usable = () => (secondsSince(held?.at) < limits.maxAgeSeconds ? held?.keys : undefined)

  async function fetchKeys(): Promise<void> {
    try {
      // Shared by all who wait, so no caller's signal ends it.
      const keys = await source(AbortSignal.timeout(limits.fetchTimeoutMilliseconds))
      held = { keys, at: clock.now() }
      failure = undefined
    } catch (error) {
      failure = { internal: error instanceof Error ? error.message : 'unknown', at: clock.now() }
    }
  }

  function refresh(): Promise<void> {
    if (secondsSince(failure?.at) < limits.failureCooldownSeconds) return Promise.resolve()
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  return {
    async find(wanted, signal) {
      if (!usable()) await orAborted(refresh(), signal)
      else if (secondsSince(held?.at) >= limits.refreshAfterSeconds) void refresh()
      let key = pick(usable(), wanted)
      if (!key && secondsSince(held?.at) >= limits.unknownKeyCooldownSeconds) {
        await orAborted(refresh(), signal)
        key = pick(usable(), wanted)
      }
      if (key) return { kind: 'found', key }
      if (usable() && !failure && !signal.aborted) return { kind: 'unknown' }
      return { kind: 'unavailable', internal: failure?.internal ?? 'The caller did not wait for the keys.' }
    },
  }
}

/** A key is read once, by its first token. */
const publicKeys = new WeakMap<JsonObject, KeyObject | undefined>()

/** The one key that is meant; a token that names none is accepted only when there is no choice. */
function pick(
  keys: readonly JsonObject[] | undefined,
  { keyId, algorithm }: WantedKey,
): KeyObject | undefined {
  const named = keys?.filter((jwk) => keyId === undefined || jwk['kid'] === keyId) ?? []
  const [only, ...others] = named.filter((jwk) => keySuits(jwk, algorithm))
  if (!only || others.length > 0) return undefined
  if (!publicKeys.has(only)) publicKeys.set(only, readPublicKey(only))
  return publicKeys.get(only)
}

function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = () => resolve()
  signal.addEventListener('abort', done, { once: true })
  void work.then(done)
  return promise.finally(() => signal.removeEventListener('abort', done))
}
