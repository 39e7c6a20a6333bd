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
  [
    'a value at the end of a line of Windows',
    own.replace('BACKEND=', 'BACKEND=hunter2\r'),
    /^FICECAL_CRED.* value/,
  ],
  [
    'a value behind spaces',
    own.replace('BACKEND=', 'BACKEND = hunter2'),
    /^FICECAL_CREDENTIALS_BACKEND has a value/,
  ],
  [
    'a value behind an odd end of a line',
    own.replace('BACKEND=', 'BACKEND=\u2028hunter2'),
    /^FICECAL_CRED.* value/,
  ],
  [
    'a value in quotes',
    own.replace('BACKEND=', 'BACKEND="hunter2"'),
    /^FICECAL_CREDENTIALS_BACKEND has a value/,
  ],
  ['a value behind a mark of a comment', `${own}# NODE_ENV=production\n`, /^NODE_ENV has a value/],
  ['a value behind more of such marks', `${own}  ##  NODE_ENV = hunter2\n`, /^NODE_ENV has a value/],
  [
    'a known token in a comment',
    `${own}# was ghp_16C7e42F292c6912E7710c838347Ae178B4a\n`,
    /comment .*GitHub token/,
  ],
  [
    'a random text in a comment',
    `${own}# was wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n`,
    /comment .*random text/,
  ],
  [
    'a value of a secret name in a comment',
    `${own}# try MAIL_PASSWORD = hunter2\n`,
    /comment .*named secret/,
  ],
  [
    'a value of such a name within a sentence',
    `${own}# or "MAIL_PASSWORD=hunter2"\n`,
    /comment .*named secret/,
  ],
  ['a name of nobody with a dash', `${own}my-secret=hunter2\n`, /^my-secret is no variable/],
  ['a line that is no assignment', `${own}FICECAL_CREDENTIALS_BACKEND: hunter2\n`, /^The line is neither/],
  ['a private key', `${own}-----BEGIN PRIVATE KEY-----\n`, /^The line is neither/],
  [
    'the end of a key, which looks like a name',
    `${own}ABEiM0RVZneImaq7zN3uAh0+hunter2==\n`,
    /^The line is neither/,
  ],
  ['a token as a name', `${own}ghp_16C7e42F292c6912E7710c838347hunter2=\n`, /^The line is neither/],
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

test('ends of lines, a mark of UTF-8 and quotes around nothing or around a placeholder are no values', () => {
  const [whole] = contracts
  if (!whole) throw new Error('there is no contract')
  for (const text of [
    compiled.replaceAll('\n', '\r\n'),
    compiled.replaceAll('\n', '\r'),
    `\ufeff${compiled}`,
    own.replace('BACKEND=', 'BACKEND=""'),
    own.replace('BACKEND=', "BACKEND = ''"),
  ])
    assert.deepEqual(checkExample(contract, text), [])
  const placeholder = compileContract(whole, 'env-example')
    .split('\n')
    .slice(2)
    .join('\n')
    .replace(/^(DATABASE_URL=)(.+)$/m, '$1"$2"')
  assert.match(placeholder, /="postgresql/)
  assert.deepEqual(checkExample(whole, placeholder), [])
})

test('a mode may have dots in its name', () => {
  const file = 'contracts/ficecal.yaml'
  const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8').replaceAll('PROD', 'PROD.EU-1')
  const dotted = requireContract({ file, text })
  const example = compileContract(dotted, 'env-example', { mode: 'PROD.EU-1' })
  assert.match(example, /for PROD\.EU-1:/)
  assert.deepEqual(checkExample(dotted, example), [])
})

test('where a value may be a secret, nobody is told to write it into the contract', () => {
  const [whole] = contracts
  if (!whole) throw new Error('there is no contract')
  const next = (name: string) =>
    checkExample(whole, `${name}=hunter2`, []).map(({ next }) => next.includes('in the contract'))
  assert.deepEqual(next('AOS_API_KEY'), [false])
  assert.deepEqual(next('HOST'), [true])
})

test('one that somebody wrote may have words of its own', () => {
  assert.deepEqual(checkExample(contract, `# see https://a.example/?x=1\n# x=1 is prose\n${own}`), [])
  assert.deepEqual(checkExample(contract, `# in production NODE_ENV=production\n${own}`), [])
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
