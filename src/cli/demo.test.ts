import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPostgres } from '../testing/index.ts'
import { runProgram, startProgram } from './program.fixture.ts'

// Only with the database of the README.
const unavailable = await databaseMissing()

test('a demo that is interrupted leaves no file and no database behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
  const program = startProgram(['demo'], { TMPDIR: folder })
  await program.shows('issued')
  program.process.kill('SIGINT')
  // The story may have been told to its end just before.
  assert.ok([130, 0].includes(Number(await program.ended)))
  assert.deepEqual(globSync('*', { cwd: folder }), [])
  rmSync(folder, { recursive: true })
})

test('the README shows what the demo prints', { skip: unavailable }, async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const shown = /^```text\n( 1 {2}contract.*?)^```$/ms.exec(readme)?.[1] ?? ''
  const { code, out } = await runProgram(['demo'])
  assert.equal(code, 0)
  assert.equal(shape(out), shape(shown))
})

/** What is the same each time. */
function shape(text: string): string {
  return text.replace(/lse_\w{26}|[0-9a-f]{12,16}…|\b\d+(?= (ms|s|entries|files)\b)/g, '#')
}

async function databaseMissing(): Promise<string | false> {
  const postgres = await startPostgres()
  if (postgres.kind === 'unavailable') return postgres.reason
  await postgres.stop()
  return false
}
