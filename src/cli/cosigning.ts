import type { AssembleOptions } from '../catalog/index.ts'
import { Failure, parseDurationSeconds } from '../primitives/index.ts'
import type { Metrics } from '../server/http/index.ts'
import type { Cosigning } from '../witness/index.ts'

/** The options of a broker whose log is witnessed. */
export type WitnessOptions = {
  /** Addresses and public keys, in the same order. */
  readonly witness?: readonly string[]
  readonly witnessKey?: readonly string[]
  /** Absent: all of them. */
  readonly witnessQuorum?: number
  readonly witnessInterval?: string
}

const intervalSecondsDefault = 5

/** What they come to; nothing without witnesses. Throws `option_invalid` when they do not fit together. */
export function witnessesOf(options: WitnessOptions): Pick<AssembleOptions, 'witnesses'> {
  const { witness: urls = [], witnessKey: vkeys = [], witnessQuorum, witnessInterval } = options
  if (urls.length !== vkeys.length) {
    throw new Failure('option_invalid', 'Each --witness needs its --witness-key, in the same order.')
  }
  if (urls.length === 0) {
    if (witnessQuorum === undefined && witnessInterval === undefined) return {}
    throw new Failure('option_invalid', 'There is no --witness.')
  }
  const seconds =
    witnessInterval === undefined ? intervalSecondsDefault : parseDurationSeconds(witnessInterval)
  if (seconds === undefined) throw new Failure('option_invalid', `${witnessInterval} is no time, such as 5s.`)
  const witnesses = urls.map((url, at) => ({ url, vkey: vkeys[at] ?? '' }))
  return { witnesses: { witnesses, needed: witnessQuorum ?? urls.length, intervalMs: seconds * 1000 } }
}

/** The gauges of a witnessed log. */
export function watchCosigning(metrics: Metrics, cosigning: Cosigning): void {
  const one = (value: number | undefined) => new Map(value === undefined ? [] : [['', value]])
  metrics.watch({
    name: 'sallyport_witness_lag_entries',
    help: 'Entries that not enough witnesses have cosigned yet.',
    read: () => one(cosigning.status().lagEntries),
  })
  metrics.watch({
    name: 'sallyport_witness_cosigned_timestamp_seconds',
    help: 'When enough witnesses cosigned last, in seconds since 1970; absent before the first time.',
    read: () => {
      const { cosignedAt } = cosigning.status()
      return one(cosignedAt && cosignedAt / 1000)
    },
  })
  metrics.watch({
    name: 'sallyport_witness_up',
    help: '1 when the last submission to the witness was cosigned.',
    label: 'witness',
    read: () =>
      new Map([...cosigning.status().witnesses].map(([name, kind]) => [name, kind === 'cosigned' ? 1 : 0])),
  })
}
