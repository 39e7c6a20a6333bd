/** `npm run faults -- NAME… [--long] [--json]`; without a name it lists them, `all` runs every one. */
import { parseArgs } from 'node:util'
import { clock } from './clock.ts'
import { disk } from './disk.ts'
import type { Fault, Row, Skipped } from './harness.ts'
import { kill } from './kill.ts'
import { lease } from './lease.ts'
import { power } from './power.ts'
import { provider } from './provider.ts'

const faults: readonly Fault[] = [kill, disk, clock, provider, power, lease]

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, long: { type: 'boolean', default: false } },
  allowPositionals: true,
})
process.exitCode = positionals.length === 0 ? list() : await runFaults(chosen(positionals))

function list(): number {
  for (const fault of faults) console.log(`${fault.name.padEnd(10)}${fault.title}`)
  console.log('Run one with `npm run faults -- NAME`, every one with `npm run faults -- all`.')
  return 0
}

function chosen(names: readonly string[]): readonly Fault[] {
  if (names.includes('all')) return faults
  const unknown = names.filter((name) => !faults.some((fault) => fault.name === name))
  if (unknown.length > 0) {
    console.error(`There is no fault ${unknown.join(', ')}: ${faults.map(({ name }) => name).join(', ')}.`)
    process.exit(64)
  }
  return faults.filter((fault) => names.includes(fault.name))
}

/** Anything that was lost fails the run, and so does a fault that broke; the last line sums up. */
async function runFaults(wanted: readonly Fault[]): Promise<number> {
  let [passed, failed] = [0, 0]
  for (const fault of wanted)
    for (const row of await rowsOf(fault)) {
      if (!('skipped' in row) && row.lost.length > 0) failed += 1
      else passed += 1
      console.log(values.json ? JSON.stringify(row) : tableLine(row))
    }
  if (!values.json) console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

async function rowsOf(fault: Fault): Promise<readonly (Row | Skipped)[]> {
  const progress = (words: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${fault.name}: ${words}`)
  }
  try {
    return await fault.run({ length: values.long ? 'long' : 'short', progress })
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
