import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { requireContract, requireEnvironment } from '../../src/contract/index.ts'
import data from './agenticverz.json' with { type: 'json' }
import { readAgenticverz, testMethods } from './agenticverz-data.ts'
import { headings, itemsAfter, seedText, tableAfter } from './tables.ts'

const file = 'contracts/agenticverz.yaml'
const contract = requireContract({
  file,
  text: readFileSync(join(import.meta.dirname, '../..', file), 'utf8'),
})
const environment = requireEnvironment(contract)
const { variables, planes, prohibitions, migrations, agents } = environment

/** Names of §15 and §13 that the registry of §12 does not have. */
const beyondRegistry = [
  'DB_ROLE',
  'CONFIRM_PROD_MIGRATIONS',
  'POSTGRES_USER',
  'POSTGRES_PASSWORD',
  'KEYCLOAK_DB_USER',
  'KEYCLOAK_DB_PASSWORD',
  'GITHUB_TOKEN',
  'KEYCLOAK_ADMIN',
  'KEYCLOAK_ADMIN_PASSWORD',
]

test('exactly the four modes, each with its tuple', () => {
  const modes = [...contract.modes.values()].map(({ name, match }) => ({ name, ...match }))
  assert.deepEqual(modes, data.modes)
  assert.deepEqual(contract.discriminators, ['AOS_MODE', 'DB_AUTHORITY'])
})

test('each of the 163 variables of the registry has its owner and its place in the store, row by row', () => {
  assert.equal(data.variables.length, 163)
  const groups = new Map<string, Set<string>>()
  for (const { section, name, owner, vault } of data.variables) {
    const variable = variables.get(name)
    assert.ok(variable, name)
    assert.equal(variable.owner, owner, name)
    if (vault !== undefined)
      assert.ok(variable.secretPaths.includes(vault || variable.secretPaths[0] || 'none'), name)
    groups.set(section, (groups.get(section) ?? new Set()).add(variable.group))
  }
  assert.deepEqual(
    [...groups.values()].map(({ size }) => size),
    Array(15).fill(1),
    'a section is a group',
  )
  console.log(`${data.variables.length} rows of the registry`)
})

test('beyond the registry stand the names that §13 and §15 have and §12 lacks, and no other', () => {
  const registry = new Set(data.variables.map(({ name }) => name))
  assert.deepEqual(
    [...variables.keys()].filter((name) => !registry.has(name)),
    beyondRegistry,
  )
  const wanted = [...data.bootstrap, ...data.secretPaths.flatMap(({ keys }) => keys)]
  for (const name of wanted) assert.ok(variables.has(name), name)
  for (const name of beyondRegistry) assert.ok(wanted.includes(name), name)
})

test('the nine secret paths have their keys and owners', () => {
  const paths = [...environment.secretPaths.values()].map(({ path, keys, owners }) => ({
    path,
    keys,
    owners,
  }))
  assert.deepEqual(paths, data.secretPaths)
  for (const { path, keys } of data.secretPaths)
    for (const key of keys) assert.ok(variables.get(key)?.secretPaths.includes(path), `${key} at ${path}`)
})

test('the three planes and the sandbox have their headers and endpoints, and cross nowhere', () => {
  for (const { name, header, endpoints } of data.planes) {
    const plane = planes.get(name)
    assert.ok(plane, name)
    const { scheme } = plane
    const shown =
      scheme.type === 'http' ? 'Authorization' : scheme.type === 'apiKey' ? scheme.name : scheme.variable
    assert.equal(shown, header)
    assert.deepEqual(plane.endpoints, endpoints)
  }
  assert.deepEqual([...planes.keys()].sort(), ['database', 'human', 'machine', 'sandbox'])
  const sandbox = planes.get('sandbox')?.scheme
  assert.ok(sandbox?.type === 'apiKey' && sandbox.name === data.sandboxHeader)
  assert.ok(
    planes.get('human')?.rejects.includes('machine') && planes.get('machine')?.rejects.includes('human'),
  )
  assert.ok(planes.get('database')?.forbids.includes('http'))
})

test('each plane is tested as the seed says', () => {
  for (const { plane, methods } of data.testing)
    assert.deepEqual(
      planes.get(plane)?.testing.methods.map(({ method, environment }) => ({ method, environment })),
      methods,
    )
})

test('the three database roles, and the role of each environment that is mapped', () => {
  const roles = [...(migrations?.roles.values() ?? [])].map(({ name, meaning, migrate }) => ({
    name,
    meaning,
    migrate,
  }))
  assert.deepEqual(roles, data.roles)
  const modeOf: Readonly<Record<string, string>> = {
    Local: 'LOCAL',
    'Neon Test': 'TEST',
    'Neon Prod': 'PROD',
  }
  for (const { environment, DB_AUTHORITY, DB_ROLE } of data.roleByEnvironment) {
    const mode = modeOf[environment] ?? ''
    assert.equal(migrations?.roleByMode.get(mode), DB_ROLE)
    assert.equal(contract.modes.get(mode)?.match['DB_AUTHORITY'], DB_AUTHORITY)
  }
  assert.equal(migrations?.roleVariable, 'DB_ROLE')
  assert.deepEqual(migrations?.informational, ['DB_AUTHORITY'])
})

test('the eight prohibitions are there, and each is detected', () => {
  assert.equal(prohibitions.size, data.prohibitions.length)
  for (const { id, detectors } of prohibitions.values()) assert.ok(detectors.length > 0, id)
  const severities = [...prohibitions.values()].map(({ severity }) => severity.replace('-', ' '))
  for (const violation of data.violations) assert.ok(severities.includes(violation.toLowerCase()), violation)
})

test('both debug endpoints answer 404 in production alone', () => {
  const gate = environment.gates.get('PIN-444')
  assert.deepEqual(gate?.otherwise, { status: 404, body: { error: 'not_found' } })
  assert.deepEqual(
    [...(gate?.endpoints.keys() ?? [])].map((endpoint) => ({ endpoint, modes: gate?.modes })),
    data.gates,
  )
})

test('the files, the documents, the bootstrap and the words to agents are there', () => {
  assert.deepEqual([...environment.files.keys()], [...data.files, ...data.documents])
  for (const name of data.bootstrap) assert.ok(variables.has(name), name)
  assert.equal(agents?.must.length, data.must)
  assert.equal(agents?.mustNot.length, data.mustNot)
  assert.equal(agents?.remember.length, data.finalRules)
})

const seed = seedText('003')
if (seed === undefined)
  console.log('The seeds are not beside the checkout; their tables are compared as data alone.')
else {
  test('the data are the tables of the seed', () => assert.deepEqual(data, readAgenticverz(seed)))

  test('purposes, reasons, methods and sentences are those of the seed', () => {
    const purposes = tableAfter(seed, '## 1. Environment Modes (Canonical)').map((row) =>
      row[3]?.replace(' (current)', ''),
    )
    assert.deepEqual(
      [...environment.modeRules.values()].map(({ purpose }) => purpose),
      purposes,
    )
    for (const [name = '', , , purpose] of tableAfter(seed, '## 3. Auth Planes (Non-Negotiable)'))
      assert.equal(planes.get(name.toLowerCase())?.purpose, purpose)
    assert.deepEqual(
      [...prohibitions.values()].map(({ reason }) => reason),
      tableAfter(seed, '## 5. Absolute Prohibitions').map(([, reason]) => reason),
    )
    assert.deepEqual(agents?.must, itemsAfter(seed, '### MUST DO'))
    assert.deepEqual(agents?.mustNot, itemsAfter(seed, '### MUST NOT'))
    assert.deepEqual(agents?.remember, itemsAfter(seed, '## Final Rules (Memorize)'))
    const questions = headings(seed.split('## 9. ')[1]?.split('## 10. ')[0] ?? '', '### ')
    assert.deepEqual(
      [...(agents?.answers.keys() ?? [])],
      questions.map((line) => line.slice(5, -1)),
    )
    for (const { plane, rows } of testMethods(seed))
      assert.deepEqual(
        planes.get(plane)?.testing.methods.map(({ how }) => how),
        rows.map(([, , how]) => how),
      )
    for (const heading of ['## 14. Canonical Source Files', '## Related Documents', '### Debug Endpoints'])
      for (const [path = '', purpose] of tableAfter(seed, heading))
        assert.equal(
          environment.files.get(path)?.purpose ?? environment.gates.get('PIN-444')?.endpoints.get(path),
          purpose,
        )
  })
}
