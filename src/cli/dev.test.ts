import assert from 'node:assert/strict'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runProgram, startProgram, takenPort } from './program.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-dev-test-'))
after(() => rmSync(folder, { recursive: true }))
const here = (name: string) => ({ TMPDIR: mkdtempSync(join(folder, `${name}-`)) })
const anywhere = ['--port', '0', '--human-port', '0']

test('a temporary folder, its keys in it, is gone after SIGINT, SIGTERM and a closed terminal', async () => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const env = here(name)
    const program = startProgram(['dev', '--json', ...anywhere], env)
    await program.shows('\n')
    const [made] = globSync('sallyport-dev-*', { cwd: env.TMPDIR })
    assert.equal(statSync(join(env.TMPDIR, made ?? '')).mode & 0o777, 0o700)
    program.process.kill(name)
    assert.deepEqual([await program.ended, globSync('*', { cwd: env.TMPDIR })], [0, []])
    assert.equal(program.out().split('\n').length, 2, 'one line')
  }
})

test('a signal while it starts leaves nothing', async () => {
  const env = here('early')
  const program = startProgram(['dev', '--json', ...anywhere], env)
  while (globSync('*', { cwd: env.TMPDIR }).length === 0)
    await new Promise((resolve) => setImmediate(resolve))
  program.process.kill('SIGTERM')
  assert.deepEqual([await program.ended, globSync('*', { cwd: env.TMPDIR })], [0, []])
})

test('a port that is taken is named, and nothing is left of the start', async () => {
  const taken = await takenPort()
  for (const ports of [
    ['--port', String(taken.port), '--human-port', '0'],
    ['--port', '0', '--human-port', String(taken.port)],
  ]) {
    const env = here('taken')
    const { code, err } = await runProgram(['dev', ...ports], env)
    assert.match(
      err,
      new RegExp(`127.0.0.1:${taken.port} is in use by another process\\. \\(option_invalid\\)\nNext: `),
    )
    assert.deepEqual([code, globSync('*', { cwd: env.TMPDIR })], [2, []])
  }
  taken.close()
})

test('a folder that cannot be used is told with the reason, and ends the start whenever that is found', async () => {
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'taken/ca.pem'), { recursive: true, mode: 0o700 })
  for (const [dir, told] of [
    ['file', /refuses the folder .*file \(EEXIST: .*\(option_invalid\)\nNext: name a folder/],
    ['taken', /The file .*ca\.pem cannot be written \(EISDIR: .*\(option_invalid\)/],
  ] as const) {
    const { code, err } = await runProgram(['dev', '--dir', join(folder, dir), ...anywhere])
    assert.equal(code, 2)
    assert.match(err, told)
  }
})

test('what dev tells to try next works as it stands there', async () => {
  const dir = join(folder, 'kept here')
  const program = startProgram(['dev', '--dir', dir, ...anywhere])
  await program.shows('audit tail')
  const lines = program
    .err()
    .split('\n')
    .map((line) => line.trim())
  assert.ok(lines.includes(`export SALLYPORT_DEV='${dir}'`))
  const codes = []
  for (const line of lines.filter((text) => text.startsWith('sallyport '))) {
    const words = line.split(' ').map((word) => word.replaceAll("'", ''))
    codes.push((await runProgram(words.slice(1), { SALLYPORT_DEV: dir })).code)
  }
  assert.deepEqual(codes, [0, 3, 0, 0, 0])
  program.process.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  assert.ok(
    existsSync(join(dir, 'sallyport.yaml')) && !readFileSync(join(dir, 'dev.json'), 'utf8').includes('sp_'),
  )
})
