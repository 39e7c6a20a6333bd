import { parseQuorum } from '../audit/index.ts'
import type { Alerter } from '../broker/index.ts'
import type { Clock } from '../primitives/index.ts'
import type { KeptCheckpoint } from './kept-checkpoint.ts'
import {
  createSubmitter,
  type Submitted,
  type Submitter,
  type WitnessAddress,
  type WitnessedLog,
} from './submission.ts'

/** Which witnesses a log has, how many of them make a checkpoint a cosigned one, and how often they are asked. */
export type WitnessPolicy = {
  readonly witnesses: readonly WitnessAddress[]
  readonly needed: number
  readonly intervalMs: number
}

/** Bounds of cosigning, in milliseconds. */
export const cosigningLimits = {
  /** One turn with every witness; a slow one delays nobody longer. */
  turnMs: 5_000,
  /** A log that does not grow is cosigned again after this, so that the time of its cosignatures says that nothing was held back. */
  refreshMs: 60_000,
} as const

/** How far the witnesses are behind the log. */
export type CosigningStatus = {
  /** Entries that not enough witnesses have cosigned yet. */
  readonly lagEntries: number
  /** Milliseconds since 1970 when enough of them cosigned last in this process; `undefined` before that. */
  readonly cosignedAt: number | undefined
  /** What came last of each, by its name; `waiting` before its first answer. */
  readonly witnesses: ReadonlyMap<string, Submitted['kind'] | 'waiting'>
}

/** Brings the log's newest checkpoint to its witnesses, behind everybody's back: issuing never waits for it and never fails by it. */
export interface Cosigning {
  /** Submits the newest checkpoint to every witness once. Never throws. */
  turn(signal: AbortSignal): Promise<void>
  /** A turn every interval, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  status(): CosigningStatus
}

/** Throws `option_invalid` for a malformed policy. */
export function createCosigning(options: {
  readonly log: WitnessedLog
  readonly policy: WitnessPolicy
  /** Where the cosigned checkpoint is kept. */
  readonly kept: Pick<KeptCheckpoint, 'current' | 'keep'>
  readonly clock: Clock
  readonly alerter: Alerter
  readonly note: (line: Readonly<Record<string, unknown>>) => void
}): Cosigning {
  const { log, policy, kept, clock } = options
  const { needed } = parseQuorum({ vkeys: policy.witnesses.map(({ vkey }) => vkey), needed: policy.needed })
  const submitters = policy.witnesses.map((address) => createSubmitter(address, log))
  const outcomes = new Map<string, Submitted['kind'] | 'waiting'>(
    submitters.map(({ name }) => [name, 'waiting']),
  )
  let cosignedAt: number | undefined

  const remember = ({ name, url }: Submitter, outcome: Submitted) => {
    // As long as it holds: an alert that is not raised again is taken for over.
    if (outcome.kind === 'forked' || outcome.kind === 'shrunk') raise(name, outcome.why)
    if (outcomes.get(name) === outcome.kind) return
    outcomes.set(name, outcome.kind)
    if (outcome.kind === 'cosigned')
      return options.note({ level: 'info', witness: name, url, outcome: 'cosigned' })
    options.note({ level: 'warning', witness: name, url, outcome: outcome.kind, message: outcome.why })
  }

  const raise = (witness: string, why: string) =>
    options.alerter.raise({
      name: 'Audit Log Forked',
      severity: 'critical',
      summary: `The witness ${witness} refuses the audit log ${log.origin}. ${why} It was rewritten, rolled back, or restored without a new epoch.`,
      labels: { witness, log: log.origin },
      startsAt: clock.now(),
    })

  const isDue = (size: number) =>
    [...outcomes.values()].some((outcome) => outcome !== 'cosigned') ||
    kept.current()?.size !== size ||
    cosignedAt === undefined ||
    clock.now() - cosignedAt >= cosigningLimits.refreshMs

  const turn = async (signal: AbortSignal) => {
    const note = log.checkpoint()
    const checkpoint = { note, size: Number(note.split('\n', 2)[1]) }
    if (!isDue(checkpoint.size)) return
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(cosigningLimits.turnMs)])
    const lines = await Promise.all(
      submitters.map(async (submitter) => {
        const outcome = await submitter.submit(checkpoint, bounded)
        if (!signal.aborted) remember(submitter, outcome)
        return outcome.kind === 'cosigned' ? [outcome.line] : []
      }),
    )
    const cosignatures = lines.flat()
    if (cosignatures.length < needed) return
    await kept.keep({ size: checkpoint.size, checkpoint: `${note}${cosignatures.join('')}` })
    cosignedAt = clock.now()
  }

  return {
    turn,
    async run(signal) {
      while (!signal.aborted) {
        await turn(signal).catch((thrown: unknown) =>
          options.note({ level: 'error', message: 'Cosigning failed.', internal: String(thrown) }),
        )
        await clock.sleep(policy.intervalMs, signal).catch(() => undefined)
      }
    },
    status: () => ({
      lagEntries: log.size() - (kept.current()?.size ?? 0),
      cosignedAt,
      witnesses: outcomes,
    }),
  }
}
