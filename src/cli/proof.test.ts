import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runProgram, startProgram } from './program.fixture.ts'

let folder: string
let logKey: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-proof-'))
  const dev = startProgram(['dev', '--dir', at('dev'), '--port', '0', '--human-port', '0', '--json'])
  await dev.shows('log_key')
  logKey = JSON.parse(readFileSync(at('dev/dev.json'), 'utf8')).log_key
  for (const name of ['kept', 'links']) mkdirSync(at(name))
  writeFileSync(at('kept/b.db'), 'of last week')
  symlinkSync('../kept/b.db', at('links/b.db'))
  await Promise.all([
    run('audit', 'export', at('log.jsonl')).then(({ code, err }) => assert.equal(code, 0, err)),
    refuses(['audit', 'export', at('absent/e.jsonl')], 2, /e\.jsonl cannot be written \(ENOENT/),
    run('backup', at('links/b.db')).then(({ code, err }) => assert.equal(code, 0, err)),
  ]).finally(() => dev.process.kill())
  await dev.ended
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

function at(name: string): string {
  return join(folder, name)
}

function run(...words: string[]) {
  return runProgram(words, { SALLYPORT_DEV: at('dev') })
}

/** What a person sees of a mistake: one failure that is foreseen, and nothing of the program's inside. */
async function refuses(words: readonly string[], code: number, said: RegExp): Promise<void> {
  const { code: ended, out, err } = await run(...words)
  assert.deepEqual([ended, out], [code, ''], err)
  assert.match(err, said)
  assert.doesNotMatch(err, /\(internal\)|Warning|\n {4}at /)
}

describe('the commands of proof say what is wrong with a file or key', { timeout: 60_000 }, () => {
  // The broker is gone by now: who asks it before looking gets `unreachable`, and exit code 7.
  test('backup asks for no copy that has nowhere to go or could not be checked', async () => {
    await Promise.all([
      refuses(['backup', at('absent/b.db')], 2, /absent\/b\.db cannot be written \(ENOENT/),
      refuses(['backup', folder], 2, /A backup is a file/),
      refuses(['backup', ''], 2, /A backup is a file/),
      refuses(['backup', at('b.db'), '--log-key', 'no-key'], 2, /public key of a log/),
      refuses(['backup', at('b.db'), '--log-key', ''], 2, /public key of a log/),
    ])
    assert.deepEqual(readdirSync(folder).sort(), ['dev', 'kept', 'links', 'log.jsonl'])
  })

  test('backup replaces the file that a link leads to, and nothing that is no file', async () => {
    assert.ok(lstatSync(at('links/b.db')).isSymbolicLink())
    assert.match(readFileSync(at('kept/b.db'), 'latin1'), /^SQLite format 3/)
    execFileSync('mkfifo', [at('links/pipe')])
    symlinkSync('nowhere', at('links/dangling'))
    // Of somebody else: what a draft is called is nobody's name.
    writeFileSync(at('links/new.db.part'), 'precious')
    const before = readdirSync(at('links')).sort()
    await Promise.all([
      refuses(['backup', at('links/pipe')], 2, /A backup is a file/),
      refuses(['backup', at('links/dangling')], 2, /A backup is a file/),
      refuses(['backup', at('links/new.db')], 7, /cannot be reached/),
    ])
    assert.deepEqual(readdirSync(at('links')).sort(), before)
    assert.ok(lstatSync(at('links/pipe')).isFIFO() && lstatSync(at('links/dangling')).isSymbolicLink())
    assert.equal(readFileSync(at('links/new.db.part'), 'utf8'), 'precious')
    assert.deepEqual(readdirSync(at('kept')), ['b.db'])
  })

  test('audit verify names the file that it cannot read, and lets go of it when an option is wrong', async () => {
    const log = at('log.jsonl')
    await Promise.all([
      refuses(['audit', 'verify', folder], 2, /cannot be read \(EISDIR/),
      refuses(['audit', 'verify', at('absent')], 2, /absent cannot be read \(ENOENT/),
      refuses(['audit', 'verify', log, '--witness-quorum', '1'], 2, /no --witness-key/),
      refuses(['audit', 'verify', log, '--witness-key', logKey], 2, /public key of a witness/),
      refuses(['audit', 'verify', at('absent'), '--witness-key', 'no-key'], 2, /public key of a witness/),
      refuses(['audit', 'verify', log, '--log-key', ''], 2, /public key of a log/),
    ])
  })

  test('a key of a witness for which there is no room leaves nothing in its way', () => {
    const key = at('late.key')
    const words = ['witness', 'key', 'new', '--name', 'witness.example.org/late', '--key', key]
    const main = join(import.meta.dirname, 'main.ts')
    const make = (limit: string) =>
      spawnSync('sh', ['-c', `ulimit -f ${limit} && exec "$@"`, 'sh', process.execPath, main, ...words])
    const refused = make('0')
    assert.equal(refused.status, 2)
    assert.match(String(refused.stderr), /late\.key cannot be written \(EFBIG: (.|\n)*Next: /)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('late')),
      [],
    )
    assert.equal(make('unlimited').status, 0)
    assert.equal(statSync(key).mode & 0o777, 0o600)
  })

  test('a witness starts with a key of its own alone, and with TLS that is TLS', async () => {
    const key = at('w1.key')
    const serve = (...words: string[]) => {
      const own = ['--key', key, '--state', at('w1'), '--log', logKey, '--listen', '127.0.0.1:0']
      return ['witness', 'serve', ...own, ...words]
    }
    const made = ['witness', 'key', 'new', '--name', 'witness.example.org/w1', '--key', key]
    assert.equal((await run(...made)).code, 0)
    await refuses(made, 2, /w1\.key cannot be written \(EEXIST/)
    await refuses(serve('--tls-cert', key, '--tls-key', key), 2, /not a certificate and its key/)
    await refuses(serve('--listen', '0.0.0.0:0'), 2, /the witness listens on loopback(?:.|\n)*--tls-key\n/)
    await refuses(serve('--key', at('dev/dev.json')), 2, /private key/)
    await refuses(serve('--state', key), 2, /w1\.key' \(EEXIST(.|\n)*name a folder/)
    chmodSync(key, 0o640)
    await refuses(serve(), 2, /chmod 600/)
  })

  test('restore names the file that is no backup', async () => {
    writeFileSync(at('no.db'), 'no backup')
    const into = ['--data', at('restored'), '--log-key', logKey]
    await Promise.all([
      refuses(['restore', at('no.db'), ...into], 1, /no\.db(?:.|\n)*\nNext: /),
      refuses(['restore', at('absent.db'), ...into], 1, /absent\.db(?:.|\n)*\nNext: /),
    ])
  })

  test('restore takes the key of the environment, and not that of a development broker', async () => {
    const restore = (name: string, env: NodeJS.ProcessEnv) =>
      runProgram(['restore', at('kept/b.db'), '--data', at(name)], { SALLYPORT_DEV: at('dev'), ...env })
    const [named, unnamed] = await Promise.all([
      restore('from key', { SALLYPORT_LOG_KEY: logKey }),
      restore('from-dev', {}),
    ])
    assert.match(named.out, /which goes on as dev\/epoch-2/, named.err)
    assert.match(named.err, /\nNext: sallyport serve --contract CONTRACT --data '\/.*\/from key'\n/)
    assert.deepEqual([named.code, unnamed.code, unnamed.out], [0, 2, ''])
    assert.match(unnamed.err, /must be pinned.*\nNext: give --log-key VKEY/)
  })
})
