/** Runs the tests: `node tools/test.ts [--peers] [--root FOLDER] [path…]`. The last line says how many passed and failed. */
import { globSync } from 'node:fs'
import { join, relative } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { sumUp } from './sum.ts'

const patterns = ['src', 'client/src', 'test', 'tools', 'bench', 'faults'].map(
  (folder) => `${folder}/**/*.test.ts`,
)
const fileSecondsMax = { plain: 120, peers: 600 }

const { values, positionals } = parseArgs({
  options: { peers: { type: 'boolean' }, root: { type: 'string', default: join(import.meta.dirname, '..') } },
  allowPositionals: true,
})
const root = values.root
const files = testFiles(values.peers ? 'peers' : 'plain', positionals)
if (files.length === 0) {
  console.error(`No test file matches ${positionals.join(' ') || patterns.join(' ')}.`)
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const outcome = await runTests(files, values.peers ? 'peers' : 'plain')
process.exitCode = report(outcome)

type Kind = keyof typeof fileSecondsMax
type Outcome = { passed: number; failed: number; skipped: readonly string[] }

/** The files of that kind whose path holds one of the filters; all of them without a filter. */
function testFiles(kind: Kind, filters: readonly string[]): readonly string[] {
  return globSync(patterns, { cwd: root, exclude: (name) => name === 'node_modules' })
    .filter((path) => path.endsWith('.peer.test.ts') === (kind === 'peers'))
    .filter(
      (path) => filters.length === 0 || filters.some((filter) => path.includes(filter.replace(/^\.\//, ''))),
    )
    .sort()
}

async function runTests(paths: readonly string[], kind: Kind): Promise<Outcome> {
  const counts = { passed: 0, failed: 0 }
  const skipped: string[] = []
  const events = run({ files: [...paths], cwd: root, concurrency: 2, timeout: fileSecondsMax[kind] * 1000 })
  const note = (event: { name: string; file?: string; skip?: string | boolean; todo?: string | boolean }) => {
    const why = event.skip ?? event.todo
    if (why !== undefined && why !== false)
      skipped.push(
        `${relative(root, event.file ?? root)}: ${event.name}: ${typeof why === 'string' && why ? why : 'no reason given'}`,
      )
  }
  events.on('test:pass', note).on('test:fail', note)
  events.on('test:summary', (summary) => {
    if (summary.file !== undefined) return
    const { tests, passed, skipped: left, todo } = summary.counts
    // A suite whose hook fails is no failed test, but the run did not succeed.
    counts.failed = Math.max(tests - passed - left - todo, summary.success ? 0 : 1)
    counts.passed = passed
  })
  const printed = events.compose(new spec())
  printed.pipe(process.stdout, { end: false })
  await finished(printed)
  return { ...counts, skipped }
}

/** Prints the end of the report and gives the exit code. On CI nothing may be skipped. */
function report({ passed, failed, skipped }: Outcome): number {
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((line) => `  ${line}`).join('\n')}`)
  if (process.env['CI'] === 'true' && skipped.length > 0)
    console.log('Nothing may be skipped with CI=true: each of these counts as failed.')
  const { line, code } = sumUp({ passed, failed, skipped: skipped.length })
  console.log(`\n${line}`)
  return code
}
