import type { Clock } from '../../../primitives/index.ts'
import { readTokenId } from './answer.ts'

/** What came of asking for a lease's credential. */
export type Outcome =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'minted'; readonly tokenId: string }
  /** Something may live whose id nobody knows. */
  | { readonly kind: 'unknown' }

/** What this process asked for: the interface cannot plant a lease id, so that of an answer nobody saw only this is left. */
export interface Memory {
  remember(leaseId: string, calling: Promise<unknown>, options: { rejectionLeavesNothing: boolean }): void
  /** Waits for an answer that is still to come. */
  outcome(leaseId: string): Promise<Outcome>
  forget(leaseId: string): void
}

/** Enough for every lease between its mint and its seal; from then on the broker itself knows the id. */
export const rememberedMax = 10_000

export function createMemory(clock: Clock): Memory {
  const startedAt = clock.now()
  const outcomes = new Map<string, Promise<Outcome>>()
  return {
    remember(leaseId, calling, { rejectionLeavesNothing }) {
      const [oldest] = outcomes.keys()
      if (outcomes.size >= rememberedMax && oldest !== undefined) outcomes.delete(oldest)
      outcomes.set(
        leaseId,
        calling.then(outcomeOf, () => ({ kind: rejectionLeavesNothing ? 'nothing' : 'unknown' })),
      )
    },
    async outcome(leaseId) {
      // What an earlier process asked for went with it.
      return outcomes.get(leaseId) ?? { kind: bornAt(leaseId) < startedAt ? 'unknown' : 'nothing' }
    },
    forget: (leaseId) => outcomes.delete(leaseId),
  }
}

function outcomeOf(answer: unknown): Outcome {
  const tokenId = readTokenId(answer)
  return tokenId === undefined ? { kind: 'unknown' } : { kind: 'minted', tokenId }
}

const crockford = '0123456789abcdefghjkmnpqrstvwxyz'

/** The milliseconds that a lease id begins with; far in the past for what is none. */
function bornAt(leaseId: string): number {
  let milliseconds = 0
  for (const letter of leaseId.slice(-26, -16)) milliseconds = milliseconds * 32 + crockford.indexOf(letter)
  return milliseconds
}
