import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isRequired, requireContract, requireEnvironment } from '../../src/contract/index.ts'
import data from './ficecal.json' with { type: 'json' }
import { readFicecal } from './ficecal-data.ts'
import { seedText } from './tables.ts'

const file = 'contracts/ficecal.yaml'
const contract = requireContract({
  file,
  text: readFileSync(join(import.meta.dirname, '../..', file), 'utf8'),
})
const environment = requireEnvironment(contract)
const { variables, references, secretRules } = environment

test('the required keys are required in every mode, and the optional ones in none', () => {
  for (const mode of contract.modes.keys()) {
    const at = { mode, scope: 'runtime' }
    const required = [...variables.values()].filter((variable) => isRequired(variable.required, at))
    assert.deepEqual(
      required.map(({ name }) => name),
      data.requiredKeys,
    )
  }
  assert.deepEqual([...variables.keys()].sort(), [...data.requiredKeys, ...data.optionalKeys].sort())
})

test('a reference is opaque, required in stage and prod, and the examples are references', () => {
  assert.equal(references?.field, data.field)
  assert.deepEqual(references?.examples, data.references)
  assert.deepEqual(references?.requiredModes, data.requiredModes)
  const pattern = new RegExp(references?.pattern ?? 'nothing', 'u')
  for (const secret of [
    'AKIAEXAMPLE',
    'https://a.test',
    'cred://',
    'cred://a',
    'cred://A/b',
    'cred://a/b?token=1',
    'cred://a/b\n',
  ])
    assert.ok(!pattern.test(secret), secret)
})

test('billing ingestion takes the one mode of authentication, which holds when none is named', () => {
  const adapter = environment.requestAdapters.get('billing-ingest')
  assert.deepEqual(adapter?.authModes, [data.authMode])
  assert.equal(adapter?.defaultAuthMode, data.defaultAuthMode)
})

test('the rules for secrets are those of the lists', () => {
  assert.deepEqual(
    secretRules?.neverIn,
    data.neverIn.map((place) => place.replace(' ', '-')),
  )
  assert.deepEqual(secretRules?.releaseBlocking, data.releaseBlocking)
  assert.equal(secretRules?.onLeak, 'incident-response')
})

test('tracks, commands and documents are those of the lists', () => {
  assert.deepEqual(environment.about.tracks, data.tracks)
  assert.deepEqual(environment.validation, data.validation)
  assert.deepEqual([...environment.files.keys()], ['.env.example', ...data.documents])
})

const seed = seedText('001')
if (seed === undefined)
  console.log('The seeds are not beside the checkout; their lists are compared as data alone.')
else test('the data are the lists of the seed', () => assert.deepEqual(data, readFicecal(seed)))
