import { type Clock, Failure } from '../primitives/index.ts'
import { brokerLimits } from './limits.ts'

export type BreakerState = 'closed' | 'open' | 'trying'

/** Keeps a provider that is down from being hammered: after some failures in a row it is left alone, then one call tries it. */
export interface Breaker {
  /** Throws `provider_circuit_open` while the provider is left alone. */
  enter(): void
  succeeded(): void
  failed(): void
  state(): BreakerState
}

export function createBreaker(clock: Clock, provider: string): Breaker {
  let failures = 0
  let openUntil = 0
  let trial = false
  const state = (): BreakerState => {
    if (openUntil === 0) return 'closed'
    return trial || clock.now() >= openUntil ? 'trying' : 'open'
  }
  return {
    state,
    enter() {
      const now = state()
      if (now === 'closed') return
      if (now === 'trying' && !trial) {
        trial = true
        return
      }
      const seconds = Math.max(1, Math.ceil((openUntil - clock.now()) / 1000))
      throw new Failure(
        'provider_circuit_open',
        `The provider ${provider} is failing and is left alone for now.`,
        {
          next: `try again in ${seconds} s`,
        },
      )
    },
    succeeded() {
      failures = 0
      openUntil = 0
      trial = false
    },
    failed() {
      failures += 1
      if (!trial && failures < brokerLimits.breakerFailures) return
      openUntil = clock.now() + brokerLimits.breakerOpenMs
      trial = false
    },
  }
}
