/** `npm run bench -- NAME… [--json] [--short]`; without a name it lists them, `all` runs every one. */
import { parseArgs } from 'node:util'
import { audit } from './audit.ts'
import { contract } from './contract.ts'
import { decision } from './decision.ts'
import { forwardAuth } from './forward-auth.ts'
import { type Bench, type Comparison, compareInDetail, type Row, type Skipped } from './harness.ts'
import { issuance } from './issuance.ts'
import { memory } from './memory.ts'
import { overload } from './overload.ts'
import { postgres } from './postgres.ts'
import { restart } from './restart.ts'
import { revoke } from './revoke.ts'
import { startup } from './startup.ts'
import { verify } from './verify.ts'

const benches: readonly Bench[] = [
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
]

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, short: { type: 'boolean', default: false } },
  allowPositionals: true,
})
process.exitCode = positionals.length === 0 && !values.short ? list() : await runBenches(chosen(positionals))

function list(): number {
  for (const bench of benches) console.log(`${bench.name.padEnd(12)}${bench.title}`)
  console.log('Run one with `npm run bench -- NAME`, every one with `npm run bench -- all`.')
  return 0
}

/** The benches of these names; every one for `all` or for none. */
function chosen(names: readonly string[]): readonly Bench[] {
  if (names.length === 0 || names.includes('all')) return benches
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name))
  if (unknown.length > 0) {
    console.error(
      `There is no bench ${unknown.join(', ')}: ${benches.map((bench) => bench.name).join(', ')}.`,
    )
    process.exit(64)
  }
  return benches.filter((bench) => names.includes(bench.name))
}

/** A goal that is missed fails a full run; a short one has too few rounds to say, and fails only when a bench breaks. */
async function runBenches(wanted: readonly Bench[]): Promise<number> {
  let [broken, missed] = [0, 0]
  for (const bench of wanted) {
    try {
      for (const row of await rowsOf(bench)) if (!row.ok) missed += 1
    } catch (thrown) {
      broken += 1
      console.error(`${bench.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }
  if (!values.json) console.log(`${wanted.length - broken} passed, ${broken} failed`)
  return broken > 0 || (missed > 0 && !values.short) ? 1 : 0
}

/** Makes the comparisons of one bench, printing each as it is known. */
async function rowsOf(bench: Bench): Promise<readonly Row[]> {
  const scale = values.short ? 'short' : 'full'
  await using world = new AsyncDisposableStack()
  const rows: Row[] = []
  for (const comparison of await bench.open(scale, world)) {
    if ('skipped' in comparison) {
      const line = { bench: bench.name, ...comparison }
      console.log(values.json ? JSON.stringify(line) : skippedLine(line))
      continue
    }
    const details = await compareInDetail(bench.name, comparison, bench.rounds[scale])
    console.log(values.json ? JSON.stringify(details.row) : tableLine(comparison, details))
    rows.push(details.row)
  }
  return rows
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
