/** `npm run bench -- NAME… [--json] [--short]`; without a name it lists them, `all` runs every one. */
import { runChosen } from '../tools/choice.ts'
import { sumUp } from '../tools/sum.ts'
import { audit } from './audit.ts'
import { contract } from './contract.ts'
import { decision } from './decision.ts'
import { forwardAuth } from './forward-auth.ts'
import {
  type Bench,
  type Comparison,
  compareInDetail,
  type Row,
  type Scale,
  type Skipped,
} from './harness.ts'
import { issuance } from './issuance.ts'
import { memory } from './memory.ts'
import { overload } from './overload.ts'
import { postgres } from './postgres.ts'
import { restart } from './restart.ts'
import { revoke } from './revoke.ts'
import { startup } from './startup.ts'
import { verify } from './verify.ts'

await runChosen(
  {
    noun: 'bench',
    all: [
      issuance,
      postgres,
      decision,
      restart,
      revoke,
      verify,
      memory,
      overload,
      audit,
      startup,
      contract,
      forwardAuth,
    ],
    flags: {
      short: 'a quick look, with too few rounds to judge by; without a name at all of them',
      json: 'one line of JSON a row',
    },
    allWith: 'short',
  },
  ({ chosen, flags }) =>
    runBenches(chosen, { scale: flags.has('short') ? 'short' : 'full', json: flags.has('json') }),
)

type How = { readonly scale: Scale; readonly json: boolean }

/** Counts rows. One that misses its goal fails a full run; a short one has too few rounds to say, and fails only when a bench breaks. */
async function runBenches(wanted: readonly Bench[], how: How): Promise<number> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const bench of wanted) {
    try {
      for await (const row of rowsOf(bench, how)) {
        if ('skipped' in row) counts.skipped += 1
        else counts[row.ok || how.scale === 'short' ? 'passed' : 'failed'] += 1
      }
    } catch (thrown) {
      counts.failed += 1
      console.error(`${bench.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }
  const { line, code } = sumUp(counts)
  if (!how.json) console.log(line)
  return code
}

/** Makes the comparisons of one bench, printing each as it is known. */
async function* rowsOf(bench: Bench, { scale, json }: How): AsyncGenerator<Row | Skipped> {
  await using world = new AsyncDisposableStack()
  const rounds = bench.rounds[scale]
  const progress = (words: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${words && `${bench.name}: ${words}`}`)
  }
  world.defer(() => progress(''))
  progress('is set up')
  for (const comparison of await bench.open(scale, world)) {
    if ('skipped' in comparison) {
      const line = { bench: bench.name, ...comparison }
      console.log(json ? JSON.stringify(line) : skippedLine(line))
      yield comparison
      continue
    }
    const details = await compareInDetail(bench.name, comparison, rounds, (round) =>
      progress(`${comparison.row}, ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`),
    )
    progress('')
    console.log(json ? JSON.stringify(details.row) : tableLine(comparison, details))
    yield details.row
  }
}

function tableLine(
  { wants, unit }: Comparison,
  { row, subject, against }: Awaited<ReturnType<typeof compareInDetail>>,
): string {
  const absolute = unit === undefined ? '' : `, ${figure(subject)} against ${figure(against)} ${unit}`
  const figures = `${row.ratio.toFixed(2)} x ${row.against} (${row.min.toFixed(2)} to ${row.max.toFixed(2)}, ${row.rounds} rounds${absolute})`
  return `${row.bench.padEnd(13)}${row.row.padEnd(40)}${row.ok ? 'ok' : 'MISSED'}, goal ${wants ?? 'at most'} ${row.goal}: ${figures}`
}

function skippedLine({ bench, row, skipped }: Skipped & { bench: string }): string {
  return `${bench.padEnd(13)}${row.padEnd(40)}skipped (${skipped})`
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
