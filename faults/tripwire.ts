/** Ends this process as `kill -9` would, at one passage of one point. */
export type Tripwire = {
  pass(point: string): void
  /** The same, but some milliseconds later, in the midst of what begins now. */
  passSoon(point: string): void
}

/** Every boundary between two steps in the life of a credential. */
export const points = [
  'before credential_intended',
  'after credential_intended',
  'before mint',
  'within mint',
  'after mint',
  'before credential_issued',
  'after credential_issued',
  'before lease_ending',
  'after lease_ending',
  'before revoke',
  'within revoke',
  'after revoke',
  'before probe',
  'after probe',
  'before lease_ended',
  'after lease_ended',
] as const

export type Point = (typeof points)[number]

/** As long as a mint or a revocation takes, more or less. */
const withinMsMax = 12

export function createTripwire(environment: Readonly<Record<string, string | undefined>>): Tripwire {
  const { FAULT_POINT: wanted, FAULT_PASSAGE: passage = '1' } = environment
  let left = Number(passage)
  const isLast = (point: string) => point === wanted && --left === 0
  const end = () => void process.kill(process.pid, 'SIGKILL')
  return {
    pass(point) {
      if (isLast(point)) end()
    },
    passSoon(point) {
      if (isLast(point)) setTimeout(end, Math.random() * withinMsMax)
    },
  }
}
