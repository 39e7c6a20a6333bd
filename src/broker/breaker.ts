import { type Clock, Failure } from '../primitives/index.ts'
import { brokerLimits } from './limits.ts'

export type BreakerState = 'closed' | 'open' | 'trying'

/** What came of a call: any answer, even a refusal, shows that the provider is there; `unknown` when nobody waited for it. */
export type Verdict = 'answered' | 'failed' | 'unknown'

/** Keeps a provider that is down from being hammered: after some failures in a row it is left alone, then one call tries it. */
export interface Breaker {
  /** Throws `provider_circuit_open` while the provider is left alone; else the call tells what came of it, once. */
  enter(): (verdict: Verdict) => void
  state(): BreakerState
}

export function createBreaker(clock: Clock, provider: string): Breaker {
  let failures = 0
  let openUntil: number | undefined
  let trial = false
  const state = (): BreakerState => {
    if (openUntil === undefined) return 'closed'
    return trial || clock.now() >= openUntil ? 'trying' : 'open'
  }
  const leftAlone = () => {
    const seconds = Math.max(1, Math.ceil(((openUntil ?? 0) - clock.now()) / 1000))
    const message = `The provider ${provider} is failing and is left alone for now.`
    return new Failure('provider_circuit_open', message, { next: `try again in ${seconds} s` })
  }
  return {
    state,
    enter() {
      const isTrial = state() === 'trying' && !trial
      if (state() !== 'closed' && !isTrial) throw leftAlone()
      if (isTrial) trial = true
      return (verdict) => {
        if (isTrial) trial = false
        if (verdict === 'answered') {
          failures = 0
          openUntil = undefined
        }
        if (verdict === 'failed') {
          failures += 1
          if (failures >= brokerLimits.breakerFailures) openUntil = clock.now() + brokerLimits.breakerOpenMs
        }
      }
    },
  }
}
