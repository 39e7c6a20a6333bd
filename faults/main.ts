/** `npm run faults -- NAME… [--long] [--json]`; without a name it lists them, `all` runs every one. */
import { runChosen } from '../tools/choice.ts'
import { sumUp } from '../tools/sum.ts'
import { clock } from './clock.ts'
import { disk } from './disk.ts'
import { type Fault, type Row, type Skipped, verdictOf } from './harness.ts'
import { kill } from './kill.ts'
import { lease } from './lease.ts'
import { power } from './power.ts'
import { provider } from './provider.ts'

await runChosen(
  {
    noun: 'faults',
    all: [kill, disk, clock, provider, power, lease],
    flags: { long: 'as often as docs/faults.md says', json: 'one line of JSON a row' },
  },
  ({ chosen, flags }) => runFaults(chosen, flags),
)

/** Anything that was lost fails the run, and so does a fault that broke or was not put in; the last line sums up. */
async function runFaults(wanted: readonly Fault[], flags: ReadonlySet<string>): Promise<number> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const length = flags.has('long') ? 'long' : 'short'
  for (const fault of wanted)
    for (const row of await rowsOf(fault, length)) {
      counts[verdictOf(row)] += 1
      console.log(flags.has('json') ? JSON.stringify(row) : tableLine(row))
    }
  const { line, code } = sumUp(counts)
  if (!flags.has('json')) console.log(line)
  return code
}

async function rowsOf(fault: Fault, length: 'short' | 'long'): Promise<readonly (Row | Skipped)[]> {
  const progress = (words: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${fault.name}: ${words}`)
  }
  try {
    return await fault.run({ length, progress })
  } catch (thrown) {
    const words = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
    return [{ fault: fault.name, what: 'broke', injected: 0, lost: [words], told: '' }]
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  }
}

function tableLine(row: Row | Skipped): string {
  if ('skipped' in row) return `${row.fault.padEnd(10)}skipped (${row.skipped})`
  const lost = row.lost.length === 0 ? 'nothing' : `${row.lost.length}: ${row.lost.slice(0, 5).join('; ')}`
  return `${row.fault.padEnd(10)}${row.what.padEnd(44)}injected ${String(row.injected).padStart(5)}  lost ${lost}  ${row.told}`
}
