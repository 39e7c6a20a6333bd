import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requireContract } from '../contract/index.ts'
import { checkExample, compileContract } from './index.ts'

const contracts = ['agenticverz', 'ficecal'].map((name) => {
  const file = `contracts/${name}.yaml`
  return requireContract({ file, text: readFileSync(join(import.meta.dirname, '../..', file), 'utf8') })
})

test('what a contract compiles to is right, with and without a mode', () => {
  for (const contract of contracts)
    for (const mode of [undefined, ...contract.modes.keys()]) {
      const options = mode === undefined ? {} : { mode }
      assert.deepEqual(checkExample(contract, compileContract(contract, 'env-example', options)), [])
    }
})

const [, contract] = contracts
if (!contract) throw new Error('there is no contract')
const compiled = compileContract(contract, 'env-example')
const own = compiled.split('\n').slice(2).join('\n')

const cases: readonly (readonly [string, string, RegExp])[] = [
  ['a value', own.replace('BACKEND=', 'BACKEND=hunter2'), /^FICECAL_CREDENTIALS_BACKEND has a value/],
  ['a value behind a mark of a comment', `${own}# NODE_ENV=production\n`, /^NODE_ENV has a value/],
  ['a mode, which is no default', own.replace('NODE_ENV=\n', 'NODE_ENV=staging\n'), /^NODE_ENV has a value/],
  ['a name that is gone', own.replace('FICECAL_CREDENTIALS_BACKEND=\n', ''), /BACKEND is missing/],
  ['a name that is commented out', own.replace('FICECAL_CRED', '# FICECAL_CRED'), /BACKEND is missing/],
  ['a name of nobody', `${own}OTHER=\n`, /^OTHER is no variable/],
  [
    'another text of the contract',
    compiled.replace('unspecified ·', 'Platform ·'),
    /compiled from another text/,
  ],
  ['a mode that is none', compiled.replace('placeholders:', 'placeholders for NONE:'), /has no mode NONE/],
]

for (const [what, text, expected] of cases)
  test(`an example file with ${what} is told, and its value is not`, () => {
    const [problem, ...more] = checkExample(contract, text)
    assert.match(problem?.message ?? '', expected)
    assert.deepEqual(more, [])
    assert.ok(!JSON.stringify(problem).includes('hunter2'))
  })

test('one that somebody wrote may have words of its own', () => {
  assert.deepEqual(checkExample(contract, `# see https://a.example/?x=1\n# x=1 is prose\n${own}`), [])
})

test('one that covers a mode alone must have what that mode requires', () => {
  const [whole] = contracts
  if (!whole) throw new Error('there is no contract')
  const names = (text: string) => checkExample(whole, text, ['PROD']).map(({ message }) => message)
  assert.deepEqual(names(''), [
    'AOS_MODE is missing.',
    'DB_AUTHORITY is missing.',
    'DATABASE_URL is missing.',
    'DB_ROLE is missing.',
    'CUSTOMER_SANDBOX_ENABLED is missing.',
  ])
})
