/** For how long one signal is given to everybody who asks. */
const sharedMs = 1_000

/**
 * Gives signals that abort after that time, or at most a second later. All who ask within a second share one: a signal for each request
 * would stay in memory, with its timer, long after the request.
 */
export function createDeadlines(milliseconds: number): () => AbortSignal {
  let shared: AbortSignal | undefined
  let sharedUntil = 0
  return () => {
    const now = performance.now()
    if (shared && now < sharedUntil) return shared
    sharedUntil = now + sharedMs
    shared = AbortSignal.timeout(milliseconds + sharedMs)
    return shared
  }
}
