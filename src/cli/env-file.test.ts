import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { collectVariables } from './env-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-env-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('the shell wins over files, the last file over the others, and it is said so', () => {
  const one = file('one', 'A=1\nB=1\nC=1\n')
  const two = file('two', '# B\nB=2\n')
  const { env, origins } = collectVariables({ C: 'shell', D: 'shell' }, [one, two], undefined)
  assert.deepEqual(env, { A: '1', B: '2', C: 'shell', D: 'shell' })
  assert.equal(origins.get('A'), `${one}:1`)
  assert.equal(origins.get('B'), `${two}:2`)
  assert.equal(origins.get('C'), `shell, over ${one}:3`)
  assert.equal(origins.get('D'), undefined)
})

test('a name without a value is not set, and one that is set to nothing in the shell is', () => {
  const { env } = collectVariables({ B: '' }, [file('empty', 'A=\nB=1\nC=""\n')], undefined)
  assert.deepEqual(env, { B: '' })
})

test('the line is that of the value, also behind text that looks like it', () => {
  const path = file('lines', `A=first\nTEXT="\nA=inside\n"\nexport A='last'\n  B = 2 # two\n`)
  const { env, origins } = collectVariables({}, [path], undefined)
  assert.equal(env['A'], 'last')
  assert.equal(origins.get('A'), `${path}:5`)
  assert.equal(origins.get('B'), `${path}:6`)
  assert.equal(origins.get('TEXT'), `${path}:2`)
})

test('of a name that stands there often the line is the last one, also where others are within a text', () => {
  const text =
    'A=1\r\nA="1"\n\nA=1 # one\n#A=1\nTEXT=`\nexport A=1\n`\nexport  B=1\n C.D = \'1\'\nE="\n"=2\nF="x\\ny"\n'
  const path = file('often', text)
  const { env, origins } = collectVariables({}, [path], undefined)
  const lines = Object.keys(env).map((name) => [name, origins.get(name)?.slice(path.length + 1)])
  assert.deepEqual(Object.fromEntries(lines), { A: '4', TEXT: '6', B: '9', 'C.D': '10', E: '11', F: '13' })
})

test('a file as large as it may be is read, with the line of each of its variables', () => {
  const count = 70_000
  const text = Array.from({ length: count }, (_, at) => `V${at}=${at % 7}\n`).join('')
  assert.ok(text.length < 1024 * 1024)
  const path = file('full', text)
  const { env, origins } = collectVariables({}, [path], undefined)
  assert.equal(Object.keys(env).length, count)
  for (let at = 0; at < count; at += 1) assert.equal(origins.get(`V${at}`), `${path}:${at + 1}`)
})

test('the mode stands in a name in lower case; without one the file is not there', () => {
  file('.env.prod', 'A=1\n')
  const named = join(folder, '.env.{mode}')
  assert.deepEqual(collectVariables({}, [named], 'PROD').env, { A: '1' })
  assert.deepEqual(collectVariables({}, [named], 'TEST').missing, [join(folder, '.env.test')])
  assert.deepEqual(collectVariables({}, [named], undefined).missing, [named])
})

test('the mark of UTF-8 belongs to no name, and other encodings are not read', () => {
  const marked = file('marked', '\ufeffA=1\r\nB="2"\r\n')
  assert.deepEqual(collectVariables({}, [marked], undefined).env, { A: '1', B: '2' })
  const wide = join(folder, 'wide')
  writeFileSync(wide, Buffer.from('\ufeffA=1\n', 'utf16le'))
  const latin = join(folder, 'latin')
  writeFileSync(latin, Buffer.from('A=\xe9\n', 'latin1'))
  assert.deepEqual(collectVariables({}, [wide, latin], undefined).missing, [wide, latin])
})

test('a file that is too large, or no file, is not read', () => {
  const large = file('large', `A=${'x'.repeat(1024 * 1024)}\n`)
  assert.deepEqual(collectVariables({}, [large, folder], undefined).missing, [large, folder])
})
