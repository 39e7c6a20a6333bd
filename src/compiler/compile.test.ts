import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { requireContract } from '../contract/index.ts'
import { compileContract, compileTargets } from './compile.ts'
import { contractOf, everything, secretsInTheWrongPlace } from './guard.fixture.ts'
import { guardFolder, hasPython, run } from './guard-program.fixture.ts'
import { posixExpression, pythonExpression } from './portable-expression.ts'

const root = join(import.meta.dirname, '../..')
const { folder, write } = guardFolder()

const contract = contractOf('agenticverz')
const right = { AOS_MODE: 'local', DB_AUTHORITY: 'local', CUSTOMER_SANDBOX_ENABLED: 'true', PORT: '80' }
const wrong = { ...right, PORT: 'hunter2' }

test('in TypeScript the mode says what is there and what it is', () => {
  write('guard.ts', compileContract(contract, 'ts'))
  const user = write(
    'user.ts',
    `import { enforce, type Environment, type MigrateEnvironment } from './guard.ts'

export function use(env: Environment, migration: MigrateEnvironment): void {
  const port: number | undefined = env.PORT
  const issuers: readonly string[] | undefined = env.CLERK_ISSUERS
  if (env.mode === 'PROD') {
    const off: false = env.CUSTOMER_SANDBOX_ENABLED
    const url: string = env.DATABASE_URL
    const neon: 'neon' = env.DB_AUTHORITY
    console.log(off, url, neon)
  }
  if (env.mode === 'LOCAL') {
    const on: true = env.CUSTOMER_SANDBOX_ENABLED
    // @ts-expect-error LOCAL needs no database
    const url: string = env.DATABASE_URL
    console.log(on, url)
  }
  if (env.mode === 'TEST') {
    const either: boolean | undefined = env.CUSTOMER_SANDBOX_ENABLED
    // @ts-expect-error in TEST it may be absent
    const off: boolean = env.CUSTOMER_SANDBOX_ENABLED
    console.log(either, off)
  }
  // @ts-expect-error there is no such mode
  if (env.mode === 'STAGING') console.log()
  // @ts-expect-error the launcher keeps it back
  console.log(env.VAULT_TOKEN)
  // @ts-expect-error it is not declared
  console.log(env.AOS_MOOD)
  const role: 'staging' | 'prod' | 'replica' = migration.DB_ROLE
  console.log(port, issuers, role)
}

use(enforce(), enforce({ scope: 'migrate' }))
// @ts-expect-error there is no such scope
enforce({ scope: 'deploy' })
`,
  )
  write('package.json', '{"type":"module"}')
  const { extends: _, ...config } = {
    extends: '',
    compilerOptions: {
      ...JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions,
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: false,
    },
    files: [user],
  }
  const project = write('tsconfig.json', JSON.stringify(config))
  const { stdout, status } = run([join(root, 'node_modules/.bin/tsc'), '-p', project], {})
  assert.equal(stdout, '')
  assert.equal(status, 0)
})

test('a guard in JavaScript gives the variables in their types, or stops the program with 78 and every problem', () => {
  write('guard.mjs', compileContract(contract, 'js'))
  const program = write(
    'program.mjs',
    `import { enforce } from './guard.mjs'\nconst { mode, PORT, CUSTOMER_SANDBOX_ENABLED } = enforce()\nconsole.log(JSON.stringify([mode, PORT, CUSTOMER_SANDBOX_ENABLED]))\n`,
  )
  assert.equal(run([process.execPath, program], right).stdout, '["LOCAL",80,true]\n')
  const { status, stdout, stderr } = run([process.execPath, program], { ...wrong, JWT_DEV_SECRET: 'hunter2' })
  assert.equal(status, 78)
  assert.equal(stdout, '')
  assert.match(stderr, /error\[E202\] PORT .*error\[E401\] JWT_DEV_SECRET .*2 problems · mode LOCAL/s)
  const secret = run([process.execPath, program], { ...right, AOS_API_KEY: 'x', REDIS_URL: 'hunter2:x' })
  assert.match(secret.stderr, /set, 9 characters/)
  assert.doesNotMatch(secret.stderr, /hunter2/)
})

/** Programs in each language whose guard stands in a folder of its own, and which catch whatever can be caught. */
function guardedPrograms(name: string): {
  readonly place: string
  readonly programs: readonly (readonly string[])[]
} {
  const place = join(folder, name)
  mkdirSync(place)
  for (const [target, file] of [
    ['js', 'guard.mjs'],
    ['sh', 'guard.sh'],
    ['python', 'guard.py'],
  ] as const)
    write(join(name, file), compileContract(contract, target))
  const program = write(
    join(name, 'program.mjs'),
    `import { enforce } from './guard.mjs'\ntry { enforce() } catch {}\nconsole.log('went on')\n`,
  )
  const python = `import sys; sys.path.insert(0, ${JSON.stringify(place)})
from guard import enforce
try: enforce()
except BaseException: pass
print('went on')`
  const inPython = [
    ['python3', '-c', python],
    ['python3', join(place, 'guard.py')],
  ]
  return {
    place,
    programs: [
      [process.execPath, program],
      ['sh', join(place, 'guard.sh'), '--', 'echo', 'went on'],
      ...(hasPython ? inPython : []),
    ],
  }
}

test('a guard is refused when the contract beside it, or the digest that is demanded, is another one', () => {
  const { place, programs } = guardedPrograms('stale')
  const beside = join(place, 'agenticverz.yaml')
  const text = readFileSync(join(root, 'contracts/agenticverz.yaml'), 'utf8')
  const refuses = (words: readonly string[], env: Readonly<Record<string, string>>) => {
    const { status, stdout, stderr } = run(words, env)
    assert.deepEqual([stdout, status], ['', 78], words.join(' '))
    assert.match(stderr, /error\[E103\]/)
  }
  for (const words of programs) {
    assert.equal(run(words, right).status, 0, words.join(' '))
    refuses(words, { ...right, SALLYPORT_CONTRACT_DIGEST: 'sha256:0' })
    writeFileSync(beside, text)
    assert.equal(run(words, right).status, 0, words.join(' '))
    writeFileSync(beside, `${text}\n`)
    refuses(words, right)
    rmSync(beside)
    // There, and nobody can read it.
    mkdirSync(beside)
    refuses(words, right)
    rmSync(beside, { recursive: true })
  }
})

test('a guard that cannot say what is wrong stops the program all the same', () => {
  const { programs } = guardedPrograms('silent')
  for (const words of programs)
    for (const nowhere of ['2>/dev/full', '2>&-']) {
      const { status, stdout } = run(['sh', '-c', `"$@" ${nowhere}`, 'sh', ...words], wrong)
      assert.deepEqual([stdout, status], ['', 78], `${words.join(' ')} ${nowhere}`)
    }
})

test('no guard shows a secret in the wrong place', () => {
  const { programs } = guardedPrograms('secrets')
  for (const value of secretsInTheWrongPlace)
    for (const words of programs) {
      const { stdout, stderr, status } = run(words, { ...right, AOS_MODE: value, PORT: value })
      assert.deepEqual([stdout, status], ['', 78])
      assert.match(stderr, /error\[E101\].*error\[E202\] PORT/s)
      assert.doesNotMatch(stderr, /hunter2|EXAMPLE/, words.join(' '))
    }
})

test('an example file has every name, and as values nothing but placeholders', () => {
  const names = [...(contract.environment?.variables.values() ?? [])].filter(({ internal }) => !internal)
  const values = parseEnv(compileContract(contract, 'env-example'))
  assert.deepEqual(Object.keys(values).sort(), names.map(({ name }) => name).sort())
  assert.deepEqual(
    Object.entries(values).filter(([, value]) => value !== ''),
    [['DATABASE_URL', 'postgresql://localhost:6432/database']],
  )
  const forProduction = parseEnv(compileContract(contract, 'env-example', { mode: 'PROD' }))
  assert.equal(forProduction['AOS_MODE'], 'prod')
  assert.equal(forProduction['CUSTOMER_SANDBOX_ENABLED'], 'false')
})

test('the rules for agents hold every sentence of the contract', () => {
  const text = compileContract(contract, 'agents-md')
  const agents = contract.environment?.agents
  assert.ok(agents)
  for (const sentence of [...agents.must, ...agents.mustNot, ...agents.remember, agents.onViolation])
    assert.ok(text.includes(sentence), sentence)
})

test('the table for people has a row for every variable', () => {
  const text = compileContract(contract, 'markdown')
  for (const name of contract.environment?.variables.keys() ?? [])
    assert.ok(text.includes(`| \`${name}\` |`), name)
})

test('every target compiles for every contract, and says which contract it is of', () => {
  for (const name of ['agenticverz', 'ficecal'])
    for (const target of compileTargets) {
      const one = contractOf(name)
      assert.ok(compileContract(one, target).includes(one.digest), `${name} ${target}`)
    }
})

test('a scope and a mode that are none are refused', () => {
  assert.throws(() => compileContract(contract, 'json-schema', { scope: 'deploy' }), {
    code: 'option_invalid',
  })
  assert.throws(() => compileContract(contract, 'env-example', { mode: 'STAGING' }), {
    code: 'option_invalid',
  })
})

test('a bound that no shell compares exactly is refused', () => {
  const text = everything.replace('maximum: 2.25', 'maximum: 2.1234567890123456')
  assert.throws(() => compileContract(requireContract({ text, file: 'c.yaml' }), 'sh'), {
    code: 'contract_invalid',
  })
})

test('a portable expression says the same to JavaScript, Python and grep', (t) => {
  const atom = fc.oneof(
    fc.constantFrom('a', 'b', '-', '.', '\\.', '\\\\', '\\[', '\\]', '\\^', '\\$', '\\/', '_', ' '),
    fc
      .tuple(
        fc.constantFrom('', '^'),
        fc.array(fc.constantFrom('a', 'b-d', '\\]', '\\[', '\\^', '\\-', '.', '_', '\\\\'), {
          minLength: 1,
          maxLength: 4,
        }),
      )
      .map(([not, inside]) => `[${not}${inside.join('')}]`),
  )
  const piece = fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{1,2}')).map((parts) => parts.join(''))
  const pattern = fc
    .tuple(
      fc.constantFrom('', '^'),
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '$'),
    )
    .map(([start, pieces, end]) => `${start}(${pieces.join('|')})${pieces.join('')}${end}`)
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'c', '-', '.', '[', ']', '^', '$', '\\', '_', ' ', '/'),
    maxLength: 8,
  })
  const all = fc.sample(fc.tuple(pattern, text), 400)
  const wanted = all.map(([one, words]) => new RegExp(one, 'u').test(words))
  const quoted = (words: string) => `'${words.replaceAll("'", `'\\''`)}'`
  const script = all.map(
    ([one, words]) =>
      `printf '%s\\n' ${quoted(words)} | grep -Eq -e ${quoted(posixExpression(one))}; echo $?`,
  )
  const shell = run(['sh', '-c', script.join('\n')], { LC_ALL: 'C' })
  assert.equal(shell.stderr, '')
  assert.deepEqual(
    shell.stdout
      .trim()
      .split('\n')
      .map((code) => code === '0'),
    wanted,
  )
  t.diagnostic(`${all.length} patterns and texts, of which ${wanted.filter(Boolean).length} match`)
  if (!hasPython) return t.diagnostic('python3 is not there')
  const input = JSON.stringify(all.map(([one, words]) => [pythonExpression(one), words]))
  const python = spawnSync(
    'python3',
    [
      '-W',
      'error',
      '-c',
      'import json,re,sys\nfor p,t in json.load(sys.stdin): print(1 if re.search(p,t) else 0)',
    ],
    { input, encoding: 'utf8' },
  )
  assert.equal(python.stderr, '')
  assert.deepEqual(
    python.stdout
      .trim()
      .split('\n')
      .map((code) => code === '1'),
    wanted,
  )
})
