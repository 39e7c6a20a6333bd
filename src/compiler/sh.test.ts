import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requireContract } from '../contract/index.ts'
import { compileContract } from './compile.ts'
import { contractOf, everything } from './guard.fixture.ts'
import { guardFolder, run, shells } from './guard-program.fixture.ts'

const { folder, write } = guardFolder()
const contract = contractOf('agenticverz')
const guard = write('guard.sh', compileContract(contract, 'sh'))
const right = { AOS_MODE: 'local', DB_AUTHORITY: 'local', CUSTOMER_SANDBOX_ENABLED: 'true', PORT: '80' }
const wrong = { ...right, PORT: 'hunter2' }

/** A production whose database is a replica: nothing migrates it. */
const replica = {
  AOS_MODE: 'prod',
  DB_AUTHORITY: 'neon',
  CUSTOMER_SANDBOX_ENABLED: 'false',
  DATABASE_URL: 'postgresql://a@db/x',
  DB_ROLE: 'replica',
  PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
}

mkdirSync(join(folder, 'bin'))
const migrator = '#!/bin/sh\necho migrated "$@"\n'
write('bin/alembic', migrator)
write('bin/-alembic', migrator)

function compiled(name: string, text: string): string {
  return write(name, compileContract(requireContract({ text, file: 'c.yaml' }), 'sh'))
}

for (const shell of shells) {
  const name = shell.join(' ')

  test(`in ${name} the guard becomes the command it is given, and takes no other word`, () => {
    const command = 'echo $PORT; [ "$VAULT_TOKEN" ] || echo withheld; exit 7'
    const became = run([...shell, guard, '--', 'sh', '-c', command], { ...right, VAULT_TOKEN: 'hunter2' })
    assert.deepEqual([became.stdout, became.status], ['80\nwithheld\n', 7])
    const refused = run([...shell, guard, '--', 'echo', 'started'], { ...wrong, AOS_API_KEY: 'x' })
    assert.deepEqual([refused.stdout, refused.status], ['', 78])
    assert.equal(run([...shell, guard, '--scope', 'migrate'], right).status, 78)
    for (const words of [
      ['echo', 'started'],
      ['--scope'],
      ['--scope', 'runtime', 'echo', 'started'],
      ['--functions'],
      ['--functions', '--', 'echo', 'started'],
      // A shell reads these as its own.
      ['--', '--', 'echo', 'started'],
      ['--', '-alembic'],
    ]) {
      const { stdout, stderr, status } = run([...shell, guard, ...words], right)
      assert.deepEqual([stdout, status], ['', 64], words.join(' '))
      assert.match(stderr, /^usage: /, words.join(' '))
    }
  })

  test(`in ${name} a migration has the rules of one, whatever scope is named`, () => {
    const start = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      run([...shell, guard, ...words], { ...replica, ...env })
    const migration = ['--', 'alembic', 'upgrade', 'head']
    const path = ['--', join(folder, 'bin/alembic'), 'upgrade']
    for (const words of [migration, path, ['--scope', 'migrate', ...migration]]) {
      const { stdout, stderr, status } = start(words)
      assert.deepEqual([stdout, status], ['', 78], words.join(' '))
      assert.match(stderr, /^error\[E301\] DB_ROLE .*1 problem · mode PROD · scope migrate/s)
    }
    for (const scope of ['runtime', 'seed']) {
      const { stdout, stderr, status } = start(['--scope', scope, ...migration])
      assert.deepEqual([stdout, status], ['', 78])
      assert.match(stderr, /^error\[E102\] scope .*leave --scope out, or say migrate/s)
    }
    assert.match(start(migration, { DB_ROLE: 'prod' }).stderr, /^error\[E302\] CONFIRM_PROD_MIGRATIONS /)
    const confirmed = { DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'true' }
    assert.equal(start(migration, confirmed).stdout, 'migrated upgrade head\n')
  })

  test(`in ${name} a script that sources the guard keeps its own words`, () => {
    const entry = write('entry.sh', `. ${guard}\nexec "$@"\n`)
    assert.equal(run([...shell, entry, 'echo', 'after'], right).stdout, 'after\n')
    assert.equal(
      run([...shell, '-c', `. ${guard}; exec "$@"`, 'x', 'echo', 'after'], right).stdout,
      'after\n',
    )
    for (const words of [
      [],
      ['echo', 'after'],
      ['--functions'],
      ['--scope', 'seed'],
      ['--', 'echo', 'after'],
    ]) {
      const { stdout, status } = run([...shell, entry, ...words], wrong)
      assert.equal(stdout, '', words.join(' '))
      assert.ok(status === 78 || status === 64, `${words.join(' ')}: ${status}`)
    }
    const asked = write(
      'asks.sh',
      `set -eu\n. ${guard}\nsallyport_check migrate || echo "no migration: $?"\n`,
    )
    assert.equal(run([...shell, asked], right).stdout, 'no migration: 78\n')
  })

  test(`in ${name} words that a started guard would take are refused where it cannot know that it was started`, () => {
    const { stdout, stderr, status } = run([...shell, '-s', '--', '--scope', 'migrate'], right, {
      input: readFileSync(guard, 'utf8'),
    })
    assert.deepEqual([stdout, status], ['', 64])
    assert.match(stderr, /^usage: /)
  })

  test(`in ${name} what the shell keeps for itself is read from the environment, the locale too`, () => {
    const kept = compiled(
      `kept.${shell[0]}.sh`,
      `contract: environment/v1
metadata: { name: kept, onMismatch: fail-stop }
discriminators: [HOSTNAME]
modes:
  HERE: { class: development, match: { HOSTNAME: here } }
scopes: { runtime: { default: true }, migrate: {} }
migrations:
  roleVariable: SHLVL
  roles: { prod: { migrate: confirm, confirm: { LC_ALL: de } } }
  roleByMode: {}
variables:
  - group: all
    owner: Platform
    vars:
      HOSTNAME: { enum: [here], required: always }
      LC_ALL: { enum: [C, C.UTF-8, de] }
      POSIXLY_CORRECT: {}
      EPOCHSECONDS: {}
      EPOCHREALTIME: {}
      SHLVL: {}
prohibitions:
  clock: { reason: no clock, severity: low, detect: [{ present: [EPOCHSECONDS, EPOCHREALTIME, POSIXLY_CORRECT] }] }
`,
    )
    const found = (env: Readonly<Record<string, string>>, ...words: readonly string[]) => {
      const { stderr, status } = run([...shell, kept, ...words], env)
      const all = [...stderr.matchAll(/^error\[(\w+)\] (\S+)/gm)].map((match) => `${match[1]} ${match[2]}`)
      assert.equal(status, all.length === 0 ? 0 : 78, stderr)
      return all
    }
    const here = { HOSTNAME: 'here' }
    assert.deepEqual(found(here), [])
    assert.deepEqual(found({ ...here, LC_ALL: 'C' }), [])
    assert.deepEqual(found({ ...here, LC_ALL: 'C.UTF-8' }), [])
    assert.deepEqual(found({ ...here, LC_ALL: 'fr' }), ['E203 LC_ALL'])
    assert.deepEqual(found({ ...here, LC_ALL: 'de' }), ['E304 LC_ALL'])
    assert.deepEqual(found({ ...here, POSIXLY_CORRECT: 'y' }), ['E401 POSIXLY_CORRECT'])
    assert.deepEqual(found({}), ['E101 mode'])
    assert.equal(
      run([...shell, kept, '--', 'sh', '-c', 'echo $LC_ALL'], { ...here, LC_ALL: 'C.UTF-8' }).stdout,
      'C.UTF-8\n',
    )
  })
}

test('what a shell would expand stays text, in values and in the contract', () => {
  const hostile = everything
    .replace("It's old", `$(touch ${folder}/pwned) \`id\` '; exit 0; #`)
    .replace('"migrate *"', `"migrate * $(touch${folder}/pwned) 'x' *"`)
  const one = write(
    'hostile.sh',
    compileContract(requireContract({ text: hostile, file: 'a $(id).yaml' }), 'sh'),
  )
  const { status } = run(['sh', one, '--', 'migrate', '(', '!', '*', '-n'], {
    APP_MODE: `$(touch ${folder}/pwned)`,
    AN_OLD_FLAG: '`id`',
    A_LIST: 'a',
  })
  assert.equal(status, 78)
  assert.throws(() => readFileSync(join(folder, 'pwned')), /ENOENT/)
})
