import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const passing = `import { test } from 'node:test'\ntest('a', () => {})\ntest('b', () => {})\n`
const failing = `import { test } from 'node:test'\ntest('c', () => { throw new Error('broken') })\n`
const skipped = `import { test } from 'node:test'\ntest('d', { skip: 'no server' }, () => {})\n`

test('what passed and failed is counted, and a failure is an exit code', () => {
  const { lastLine, status, output } = runTests({ 'src/a.test.ts': passing, 'src/c.test.ts': failing })
  assert.deepEqual([lastLine, status], ['2 passed, 1 failed', 1])
  assert.match(output, /Error: broken/)
  assert.deepEqual(pick(runTests({ 'src/a.test.ts': passing })), ['2 passed, 0 failed', 0])
})

test('a file that does not load, a hook that fails and no test at all are failures', () => {
  const hook = `import { before, describe, test } from 'node:test'\ndescribe('s', () => { before(() => { throw new Error('hook') }); test('e', () => {}) })\n`
  assert.deepEqual(
    pick(runTests({ 'src/a.test.ts': passing, 'src/f.test.ts': `throw new Error('load')\n` })),
    ['2 passed, 1 failed', 1],
  )
  assert.deepEqual(pick(runTests({ 'src/a.test.ts': passing, 'src/g.test.ts': hook })), [
    '2 passed, 1 failed',
    1,
  ])
  assert.deepEqual(pick(runTests({ 'src/a.ts': passing })), ['0 passed, 1 failed', 1])
})

test('what is skipped is told with its reason, and fails on CI', () => {
  const files = { 'src/a.test.ts': passing, 'src/d.test.ts': skipped }
  const here = runTests(files)
  assert.deepEqual(pick(here), ['2 passed, 0 failed, 1 skipped', 0])
  assert.match(here.output, /src\/d\.test\.ts: d: no server/)
  assert.deepEqual(pick(runTests(files, { CI: 'true' })), ['2 passed, 1 failed', 1])
})

test('tests against peers run only when they are asked for, and a path chooses', () => {
  const files = { 'src/a.test.ts': passing, 'src/c.peer.test.ts': failing, 'src/x/b.test.ts': passing }
  assert.deepEqual(pick(runTests(files)), ['4 passed, 0 failed', 0])
  assert.deepEqual(pick(runTests(files, {}, '--peers')), ['0 passed, 1 failed', 1])
  assert.deepEqual(pick(runTests(files, {}, 'src/x/')), ['2 passed, 0 failed', 0])
})

type Outcome = { readonly lastLine: string; readonly status: number | null; readonly output: string }

function pick({ lastLine, status }: Outcome): readonly unknown[] {
  return [lastLine, status]
}

function runTests(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  ...words: readonly string[]
): Outcome {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-runner-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const program = join(import.meta.dirname, 'test.ts')
    // Nothing of this run's environment: it would make the inner runner report to the outer one.
    const options = { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', ...env }, timeout: 60_000 } as const
    const { stdout, status } = spawnSync(process.execPath, [program, '--root', root, ...words], options)
    return { lastLine: stdout.trimEnd().split('\n').at(-1) ?? '', status, output: stdout }
  } finally {
    rmSync(root, { recursive: true })
  }
}
