import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Lease } from '../../client/src/index.ts'
import { failureCodes } from '../primitives/index.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { leaseTable } from './lease.ts'
import { jsonText, printable, terminal } from './terminal.ts'

const acted = /[\p{C}\p{Zl}\p{Zp}]/u
const cases = 2_000

test(`no text moves a cursor: ${cases} texts, and JSON that says the same`, () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      'a',
      '\u001b[2J',
      '\u009b',
      '\r',
      '\n',
      '\u202e',
      '\ud800',
      '\u2028',
      '\u{e0001}',
      'é',
    ),
  })
  fc.assert(
    fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), (text) => {
      assert.ok(!acted.test(printable(text)))
      const json = jsonText({ [text]: [text] })
      assert.ok(!acted.test(json))
      assert.deepEqual(JSON.parse(json), { [text]: [text] })
      assert.ok(!acted.test(jsonText({ text }, 2).replaceAll('\n', '')))
    }),
    { numRuns: cases },
  )
})

test('what is said keeps its lines and our colours, and nothing else of a terminal', () => {
  const seen: string[] = []
  const write = process.stderr.write
  process.stderr.write = (text: unknown) => seen.push(String(text)) > 0
  terminal({}).say('\u001b[31mred\u001b[39m\n\u001b[2Jgone\u001b[8m\u0007\u001b]0;title\u0007')
  process.stderr.write = write
  assert.deepEqual(seen, ['\u001b[31mred\u001b[39m\n\ufffd[2Jgone\ufffd[8m\ufffd\ufffd]0;title\ufffd\n'])
})

/** The program, with a standard output of its own; a pipe has no reader. */
async function writingTo(stdout: 'pipe' | number, ...words: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  if (typeof stdout === 'number') closeSync(stdout)
  child.stdout?.destroy()
  const ended = once(child, 'exit')
  assert.ok(child.stderr)
  const err = await text(child.stderr)
  const [code] = await ended
  return { code, err }
}

const compile = ['compile', '--target', 'js', '--contract']
const contract = join(import.meta.dirname, '../../contracts/agenticverz.yaml')

test('a reader that went away ends a command as a signal would, and nothing is said', async () => {
  assert.deepEqual(await writingTo('pipe', ...compile, contract), { code: 141, err: '' })
})

test('a standard output that takes nothing is a failure that is told, with --json too', async () => {
  const err = 'error Standard output cannot be written (ENOSPC: no space left on device). (option_invalid)\n'
  for (const words of [
    [...compile, contract],
    ['contract', 'lint', contract],
    ['contract', 'lint', contract, '--format', 'json'],
  ])
    assert.deepEqual(await writingTo(openSync('/dev/full', 'w'), ...words), { code: 2, err })
})

test('every failure has an exit code of the table, and the page shows the same table', () => {
  const known = Object.values(exitCodes).map(([code]): number => code)
  for (const code of failureCodes) assert.ok(known.includes(exitCodeOf(code)), code)
  assert.deepEqual(
    ['denied', 'mode_unmatched', 'contract_invalid', 'option_invalid', 'store_locked', 'unreachable'].map(
      exitCodeOf,
    ),
    [3, 78, 6, 2, 1, 7],
  )
  const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, words]) => [Number(code), words])
  assert.deepEqual(
    rows,
    Object.values(exitCodes).map((row) => [...row]),
  )
})

test('the exit codes that docs/errors.md names are those of the failures', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
  const named = [...page.matchAll(/^### `(\w+)`\n\n.*\(CLI exit code (\d+)\)/gm)]
  assert.ok(named.length > 2)
  for (const [, code = '', exit] of named) assert.equal(exitCodeOf(code), Number(exit), code)
})

const lease: Lease = {
  lease_id: 'lse_01m81wevdj0dmw1dcpxexhkz7k',
  tenant: 'acme',
  agent_id: 'agent-7',
  plane: 'machine',
  mode: 'LOCAL',
  service: 'orders-api',
  action: 'read-order',
  resource: 'order-7',
  scope: 'orders:read on \u001b[2J\nlse_fake',
  provider: 'tokens',
  grant: 'g',
  state: 'live',
  created_at: '2030-01-01T00:00:00.000Z',
  expires_at: '2030-01-01T00:15:00.000Z',
  provider_not_after: '2030-01-01T00:15:00.000Z',
  handle: 'h',
  request_id: '0'.repeat(32),
  end_attempts: 0,
}

test('a lease is one line, or two where the terminal is narrow; its words make no line of their own', () => {
  const flat = (columns?: number) => leaseTable([lease, lease], columns).flatMap((line) => line.split('\n'))
  assert.equal(flat().length, 3)
  const widest = Math.max(...flat().map((line) => line.length))
  assert.equal(flat(widest).length, 3)
  assert.equal(flat(widest - 1).length, 6)
  assert.ok(flat(widest - 1).every((line) => line.length < widest && !acted.test(line)))
})
