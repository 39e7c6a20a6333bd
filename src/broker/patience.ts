import { type Clock, Failure } from '../primitives/index.ts'

/**
 * Gives up, with `provider_timeout`, on work of this process that is not done in that time, or in twice of it: all such work shares one
 * timer, because one for each would cost more than the work.
 */
export function createPatience(clock: Clock, milliseconds: number): <T>(work: Promise<T>) => Promise<T> {
  const waiting = new Set<{ readonly since: number; readonly giveUp: () => void }>()
  const never = new AbortController().signal
  let watching = false
  const watch = async () => {
    watching = true
    while (waiting.size > 0) {
      await clock.sleep(milliseconds, never)
      for (const { since, giveUp } of waiting) if (clock.now() - since >= milliseconds) giveUp()
    }
    watching = false
  }
  return (work) => {
    const { promise, reject } = Promise.withResolvers<never>()
    const giveUp = () => reject(new Failure('provider_timeout', 'The provider did not answer in time.'))
    const one = { since: clock.now(), giveUp }
    waiting.add(one)
    if (!watching) void watch()
    return Promise.race([work, promise]).finally(() => waiting.delete(one))
  }
}
