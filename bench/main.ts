/** `npm run bench -- NAME… [--json] [--short]`; without a name it lists them, `all` runs every one. */
import { parseArgs } from 'node:util'
import { audit } from './audit.ts'
import { type Bench, compare, type Row } from './harness.ts'
import { startup } from './startup.ts'

const benches: readonly Bench[] = [audit, startup]

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
  const { comparisons, close } = await bench.open()
  try {
    const rows: Row[] = []
    for (const comparison of comparisons) {
      const row = await compare(bench.name, comparison, bench.rounds[values.short ? 'short' : 'full'])
      console.log(values.json ? JSON.stringify(row) : tableLine(row))
      rows.push(row)
    }
    return rows
  } finally {
    await close()
  }
}

function tableLine(row: Row): string {
  const figures = `${row.ratio.toFixed(2)} x ${row.against} (${row.min.toFixed(2)} to ${row.max.toFixed(2)}, ${row.rounds} rounds)`
  return `${row.bench.padEnd(10)}${row.row.padEnd(36)}${figures.padEnd(52)}${row.ok ? 'ok' : 'MISSED'}: goal ${row.goal}`
}
