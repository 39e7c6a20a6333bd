import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { enforce, inspect } from './enforce.ts'

const contract = join(import.meta.dirname, '../../contracts/ficecal.yaml')
const env = {
  NODE_ENV: 'production',
  FICECAL_API_BASE: 'https://api.example.test',
  FICECAL_MCP_BASE: 'https://mcp.example.test',
  OTHER: 'not declared',
}

test('a program whose environment is right goes on, and gets what is declared', () => {
  const { mode, scope, variables } = enforce(contract, { env })
  assert.deepEqual([mode, scope], ['PROD', 'runtime'])
  const { OTHER: _, ...declared } = env
  assert.deepEqual(variables, declared)
})

test('inspect says what is wrong and stops nothing', () => {
  const { findings } = inspect(contract, { env: { ...env, FICECAL_API_BASE: 'ftp://x' } })
  assert.deepEqual(
    findings.map(({ code, variable }) => [code, variable]),
    [['E206', 'FICECAL_API_BASE']],
  )
})

function start(words: string, variables: Readonly<Record<string, string>>, by: readonly string[] = []) {
  const door = join(import.meta.dirname, 'index.ts')
  const script = `import { enforce } from ${JSON.stringify(door)}\ntry { ${words} } catch {} finally { console.log('went on') }`
  const [program = '', ...rest] = [...by, process.execPath, '--input-type=module', '--eval', script]
  return spawnSync(program, rest, {
    env: variables,
    encoding: 'utf8',
    timeout: 30_000,
  })
}

test('a program whose environment is wrong ends with 78 at that line, whatever it catches', () => {
  const { status, stdout, stderr } = start(`enforce(${JSON.stringify(contract)})`, {
    ...env,
    NODE_ENV: 'prod',
  })
  assert.deepEqual([status, stdout], [78, ''])
  assert.match(stderr, /error\[E101\] No mode has NODE_ENV=prod\./)
})

test('a program that cannot say what is wrong ends with 78 all the same', () => {
  for (const nowhere of ['2>/dev/full', '2>&-']) {
    const words = `enforce(${JSON.stringify(contract)})`
    const { status, stdout } = start(words, { ...env, NODE_ENV: 'prod' }, [
      'sh',
      '-c',
      `"$@" ${nowhere}`,
      'sh',
    ])
    assert.deepEqual([status, stdout], [78, ''])
  }
})

test('a contract that is not there, or not valid, ends it as well', () => {
  for (const [file, says] of [
    ['nowhere.yaml', /cannot be read/],
    [join(import.meta.dirname, '../../package.json'), /package\.json:\d+:\d+/],
  ] as const) {
    const { status, stdout, stderr } = start(`enforce(${JSON.stringify(file)})`, env)
    assert.deepEqual([status, stdout], [78, ''])
    assert.match(stderr, says)
  }
})
