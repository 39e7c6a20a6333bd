import type { Clock } from '../primitives/index.ts'

/** A session sends one token many times a minute, and its signature holds each time or never. */
export const provenTokenLimits = {
  /** So long an issuer's withdrawn key goes on proving tokens that were seen before; the key set itself is trusted longer. */
  seconds: 30,
  /** Past it, the older half is forgotten. */
  tokensMax: 10_000,
} as const

/** Tokens whose signature and claims have held, by digest; what was refused is never kept. */
export type ProvenTokens<Proof> = {
  find(digest: string): Proof | undefined
  /** `untilSeconds` is the first moment at which the token itself no longer holds, in seconds since 1970. */
  keep(digest: string, proof: Proof, untilSeconds: number): void
}

type Entry<Proof> = { readonly proof: Proof; readonly from: number; readonly until: number }

export function createProvenTokens<Proof>(clock: Clock): ProvenTokens<Proof> {
  // Two halves: finding the oldest of one map would walk over all that were deleted before it.
  let [younger, older] = [new Map<string, Entry<Proof>>(), new Map<string, Entry<Proof>>()]
  return {
    find(digest) {
      const entry = younger.get(digest) ?? older.get(digest)
      const now = clock.now() / 1000
      // A clock that went backwards makes it old, never young.
      return entry && now >= entry.from && now < entry.until ? entry.proof : undefined
    },
    keep(digest, proof, untilSeconds) {
      if (younger.size >= provenTokenLimits.tokensMax / 2) [younger, older] = [new Map(), younger]
      const from = clock.now() / 1000
      younger.set(digest, { proof, from, until: Math.min(untilSeconds, from + provenTokenLimits.seconds) })
    },
  }
}
