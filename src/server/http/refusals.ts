import type { Broker, Caller } from '../../broker/index.ts'
import type { FailureCode } from '../../primitives/index.ts'
import { network } from './rate-limit.ts'

/** How much of what is refused becomes entries, by name. */
export const refusalLimits = {
  /** Of one kind and one source in a period; what comes after them is counted. */
  entriesEach: 20,
  /** Kinds and sources that are told apart in a period; what comes after them is one source. */
  sourcesMax: 1_000,
  periodMs: 60_000,
} as const

export type RefusalLimits = { readonly [Name in keyof typeof refusalLimits]: number }

/** A request that came to nothing before anything was decided. */
export type Refusal = {
  readonly code: FailureCode
  readonly plane: Caller['plane']
  readonly requestId: string
  /** The operation, as far as it is known. */
  readonly scope: string
  readonly address: string
  /** Who asked, when that was proven. */
  readonly caller?: Caller
  /** What was shown by who was not let in; for the log. */
  readonly subject?: string
}

/**
 * Writes refusals to the log, and lets nobody flood it: of one kind from one source the first of a period are entries of their own, and the
 * others stand as a number in one entry at its end. None is lost; what could not be written is tried again.
 */
export interface RefusalLog {
  /** Rejects with `log_unwritable` when the entry cannot be written. */
  note(refusal: Refusal): Promise<void>
  /** Writes the numbers now; when the listener closes. */
  flush(): Promise<void>
}

export function createRefusalLog(
  broker: Pick<Broker, 'recordRefusal'>,
  changed: Partial<RefusalLimits> = {},
): RefusalLog {
  const limits = { ...refusalLimits, ...changed }
  let sources = new Map<string, { seen: number; repeated: number; last: Refusal }>()
  let timer: NodeJS.Timeout | undefined

  const flush = async () => {
    clearTimeout(timer)
    timer = undefined
    const over = sources
    sources = new Map()
    for (const [name, { repeated, last }] of over) {
      if (repeated === 0) continue
      await record(broker, last, repeated).catch(() => keepFor(name, repeated, last))
    }
  }
  const startPeriod = () => {
    timer ??= setTimeout(() => void flush(), limits.periodMs).unref()
  }
  const keepFor = (name: string, repeated: number, last: Refusal) => {
    const since = sources.get(name)
    const seen = Math.max(since?.seen ?? 0, limits.entriesEach)
    sources.set(name, { seen, repeated: (since?.repeated ?? 0) + repeated, last })
    startPeriod()
  }

  return {
    flush,
    async note(refusal) {
      startPeriod()
      const own = sourceOf(refusal)
      const name = sources.has(own) || sources.size < limits.sourcesMax ? own : 'all others'
      const { seen = 0, repeated = 0 } = sources.get(name) ?? {}
      const counted = seen >= limits.entriesEach
      sources.set(name, { seen: seen + 1, repeated: repeated + (counted ? 1 : 0), last: refusal })
      if (counted) return
      try {
        await record(broker, refusal)
      } catch (thrown) {
        // What has no entry of its own is told in the number.
        const since = sources.get(name)
        sources.set(name, { seen: since?.seen ?? 1, repeated: (since?.repeated ?? 0) + 1, last: refusal })
        startPeriod()
        throw thrown
      }
    },
  }
}

function sourceOf({ code, plane, caller, address }: Refusal): string {
  return JSON.stringify([code, plane, ...(caller ? [caller.tenant, caller.agent] : [network(address)])])
}

function record(broker: Pick<Broker, 'recordRefusal'>, refusal: Refusal, repeated?: number): Promise<void> {
  const { code, subject, ...about } = refusal
  return broker.recordRefusal(
    { code, ...(subject === undefined ? {} : { subject }) },
    { ...about, ...(repeated === undefined ? {} : { repeated }) },
  )
}
