import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { parseTranscript, runTranscript } from './transcript.ts'

const world = { folder: tmpdir(), env: { PATH: '/usr/bin:/bin', GREETING: 'hello' } }
const lease = 'lse_01jd3v8k2mzq4r5s6t7v8w9x0y'
const other = 'lse_01jd3v8k2mzq4r5s6t7v8w9x0z'

test('commands, outputs, errors and exit codes are compared', async () => {
  const text = [
    'What the shell does.',
    '',
    '$ echo "$GREETING"; echo oops >&2',
    'hello',
    'oops',
    '',
    '# A failure has its exit code.',
    '$ echo no; exit 3',
    'no',
    '[exit 3]',
    '',
    '$ true',
    '',
  ].join('\n')
  assert.deepEqual(await runTranscript(text, world), { commands: 3 })
})

test('a placeholder is learnt at its first place and holds in later outputs and commands', async () => {
  const text = [
    `$ echo "lease ${lease} until 2026-01-02T03:04:05Z, again ${lease}"`,
    'lease <lease> until <time>, again <lease>',
    '$ echo <lease>',
    lease,
    `$ echo ${lease} ${other}`,
    '<lease> <lease-2>',
  ].join('\n')
  assert.deepEqual(await runTranscript(text, world), { commands: 3 })
  const changed = `$ echo ${lease}\n<lease>\n$ echo ${other}\n<lease>\n`
  await assert.rejects(runTranscript(changed, world), /Line 3/)
  await assert.rejects(runTranscript(`$ echo ${lease} ${other}\n<lease> <lease>\n`, world), /Line 1/)
})

test('dots stand for any lines, none too; words that are no placeholder are themselves', async () => {
  await runTranscript(`$ printf 'a\\nb\\nc\\nd\\n'\na\n...\nd\n`, world)
  await runTranscript(`$ printf 'a\\nd\\n'\na\n...\nd\n`, world)
  await runTranscript(`$ echo 'use <command> [a.c]*'\nuse <command> [a.c]*\n`, world)
  await assert.rejects(runTranscript(`$ echo abc\na.c\n`, world), /expected.*a\.c.*seen.*abc/s)
})

test('every kind of difference is shown', async () => {
  for (const [text, says] of [
    ['$ echo a\nb\n', /expected \(exit 0\):\n {4}b\n {2}seen \(exit 0\):\n {4}a/],
    ['$ echo a\na\nb\n', /Line 1/],
    ['$ echo a; echo b\na\n', /Line 1/],
    ['$ exit 2\n', /seen \(exit 2\)/],
    ['$ true\n[exit 1]\n', /expected \(exit 1\)/],
    ['$ echo x\n<time>\n', /Line 1/],
    ['$ echo <lease>\n', /needs <lease>/],
    ['nothing to run\n', /has no command/],
  ] as const)
    await assert.rejects(runTranscript(text, world), says)
})

test('a command that hangs is ended', async () => {
  await assert.rejects(
    runTranscript('$ exec sleep 60\n', { ...world, stepSecondsMax: 0.2 }),
    /ended by SIGTERM/,
  )
})

test('a transcript knows its lines', () => {
  assert.deepEqual(parseTranscript('$ a\nx\n\n$ b\n[exit 64]\n'), [
    { command: 'a', line: 1, expected: 'x', exit: 0 },
    { command: 'b', line: 4, expected: '', exit: 64 },
  ])
})
