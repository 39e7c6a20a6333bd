import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { buildEntry } from './build.ts'
import { writeLicences } from './licences.ts'

const root = join(import.meta.dirname, '..')
// Beside the packages, so that the entry finds them; the bundle stands where there are none.
const cache = join(root, 'node_modules/.cache')
mkdirSync(cache, { recursive: true })
const inside = mkdtempSync(join(cache, 'build-'))
const outside = mkdtempSync(join(tmpdir(), 'sallyport-build-'))
after(() => {
  for (const folder of [inside, outside]) rmSync(folder, { recursive: true })
})

const program = `
import 'reflect-metadata'
import { X509CertificateGenerator } from '@peculiar/x509'
import opa from '@open-policy-agent/opa-wasm'
import { AwsClient } from 'aws4fetch'
import { Command } from 'commander'
import fastify from 'fastify'
import { SignJWT } from 'jose'
import pg from 'pg'
import { Registry } from 'prom-client'
import { parseDocument } from 'yaml'
import { z } from 'zod'
const server = fastify({ logger: { level: 'info', stream: { write() {} } } })
server.get('/', () => ({ ok: z.string().parse(parseDocument('a: b').get('a')) }))
const { body } = await server.inject('/')
const all = [X509CertificateGenerator, opa.loadPolicy, AwsClient, Command, SignJWT, pg.Pool, Registry]
console.log(body, all.every((one) => typeof one === 'function'))
`

test('a program with every dependency inside runs where no package is installed', async () => {
  const source = join(inside, 'program.ts')
  writeFileSync(source, program)
  const target = join(outside, 'program.js')
  const { inputs } = await buildEntry({ source: relative(root, source), target, kind: 'program' })

  assert.equal(readFileSync(target, 'utf8').split('\n')[0], '#!/usr/bin/env node')
  assert.equal(statSync(target).mode & 0o111, 0o111)
  writeFileSync(join(outside, 'package.json'), '{"type":"module"}')
  assert.equal(
    execFileSync(process.execPath, [target], { cwd: outside, encoding: 'utf8' }),
    '{"ok":"b"} true\n',
  )

  const notice = join(outside, 'licences.txt')
  const packages = writeLicences({ root, inputs: Object.keys(inputs), target: notice })
  assert.ok(packages.includes('node_modules/fastify') && packages.includes('node_modules/@peculiar/x509'))
  assert.match(readFileSync(notice, 'utf8'), /^fastify 5\.[\d.]+ \(MIT\)$/m)
})

test('a library brings its types', async () => {
  const target = join(outside, 'door.js')
  await buildEntry({ source: 'src/primitives/index.ts', target, kind: 'library' })
  const { timestamp } = await import(target)
  assert.equal(timestamp(0), '1970-01-01T00:00:00.000Z')

  const user = `import { type Clock, Secret } from './door.js'\nexport const clock: Clock = 1\nexport const text: string = new Secret('').reveal()\n`
  writeFileSync(join(outside, 'user.ts'), user)
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const compiler = join(root, 'node_modules/.bin/tsc')
  assert.throws(
    () =>
      execFileSync(compiler, [...options, ...types, join(outside, 'user.ts')], {
        encoding: 'utf8',
        stdio: 'pipe',
      }),
    (thrown) => {
      assert.ok(thrown instanceof Error && 'stdout' in thrown)
      // The one error is the wrong clock, so the types were read.
      assert.match(String(thrown.stdout), /^[^\n]*user\.ts\(2,14\): error TS2322: Type 'number'[^\n]*\n$/)
      return true
    },
  )
})

test('an entry that is not there is named', async () => {
  await assert.rejects(
    buildEntry({ source: 'src/nowhere.ts', target: join(outside, 'nowhere.js'), kind: 'program' }),
    /src\/nowhere\.ts is not there/,
  )
})
