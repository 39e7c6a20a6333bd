import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { unprivileged } from '../testing/unprivileged.ts'
import { openDataFolder } from './data-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-data-'))
chmodSync(folder, 0o711)
after(() => rmSync(folder, { recursive: true }))

const at = (name: string) => join(folder, name)

test('what is no folder, and what the system refuses, is named with the reason and with what to do', async () => {
  writeFileSync(at('file'), '')
  symlinkSync('nowhere', at('link'))
  mkdirSync(at('keys-are-a-folder/keys/log.key'), { recursive: true, mode: 0o700 })
  for (const [name, reason, next] of [
    ['file', 'EEXIST', /name a folder/],
    ['file/below', 'ENOTDIR', /name a folder/],
    ['link', 'ENOENT', /link/],
    ['keys-are-a-folder', 'EISDIR', /nothing says that it is damaged/],
  ] as const)
    assert.throws(() => openDataFolder(at(name), 'log.example.test'), {
      code: 'option_invalid',
      message: new RegExp(`refuses the data folder ${at(name)} \\(${reason}: `),
      next,
    })
  mkdirSync(at('closed'), { mode: 0o500 })
  await unprivileged(() =>
    assert.throws(() => openDataFolder(at('closed/data'), 'log.example.test'), {
      code: 'option_invalid',
      message: /EACCES: permission denied, mkdir/,
      next: /owner/,
    }),
  )
})

test('a key that may not be read is not taken for one that is gone', async () => {
  mkdirSync(at('of-nobody'))
  chmodSync(at('of-nobody'), 0o777)
  const path = at('of-nobody/data')
  await unprivileged(() => {
    openDataFolder(path, 'log.example.test')
    writeFileSync(join(path, 'sallyport.db'), '')
    for (const closed of ['keys/log.key', 'keys']) {
      chmodSync(join(path, closed), 0o000)
      assert.throws(() => openDataFolder(path, 'log.example.test'), {
        code: 'option_invalid',
        message: /EACCES: permission denied, open .*log\.key/,
        next: /nothing says that it is damaged/,
      })
    }
    chmodSync(join(path, 'keys'), 0o700)
  })
})

test('a disk that is full at the very first start leaves no key that is cut off; with room it starts', () => {
  const program = `
    import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))}
    try { openDataFolder(process.argv[1], 'log.example.test') }
    catch (thrown) { console.log(thrown.code, thrown.message) }`
  const words = ['-c', 'ulimit -f 0 && exec "$@"', 'sh', process.execPath, '--input-type=module', '-e']
  const { stdout } = spawnSync('sh', [...words, program, at('first')], { encoding: 'utf8' })
  assert.match(stdout, /^log_unwritable There is no room for the data folder .*\(EFBIG: /)
  assert.deepEqual(readdirSync(at('first/keys')), [])
  const { signer } = openDataFolder(at('first'), 'log.example.test')
  assert.equal(openDataFolder(at('first'), 'log.example.test').signer.vkey, signer.vkey)
  assert.deepEqual(readdirSync(at('first/keys')), ['log.key'])
})

test('processes that start at once on a new folder have one key', async () => {
  const program = `
    import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))}
    process.stdin.once('data', () => {
      console.log(openDataFolder(process.argv[1], 'log.example.test').signer.vkey)
      process.exit()
    })
    console.log('ready')`
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, at('at-once')])
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  })
  for (const { lines } of children) assert.equal((await lines.next()).value, 'ready')
  for (const { child } of children) child.stdin.write('go\n')
  const keys = await Promise.all(children.map(async ({ lines }) => String((await lines.next()).value)))
  assert.match(keys[0] ?? '', /^log\.example\.test\+/)
  assert.equal(new Set(keys).size, 1)
  assert.deepEqual(readdirSync(at('at-once/keys')), ['log.key'])
})
