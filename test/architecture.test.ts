import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkArchitecture, readTree } from './architecture/check.ts'
import type { Tree } from './architecture/map.ts'

const tree = readTree(join(import.meta.dirname, '..'))

test('the tree is as ARCHITECTURE.md says', () => {
  assert.deepEqual(messages(tree), [])
})

/** What the violations are put into: enough of the tree to hold them, and nothing against the rules. */
const sample: Tree = new Map(
  [...tree].filter(([path]) =>
    /^(ARCHITECTURE\.md|docs\/|src\/(primitives|contract)\/|src\/server\/http\/problem)/.test(path),
  ),
)

type Violation = {
  readonly what: string
  /** The file that is changed or made. */
  readonly path: string
  readonly add: string
  /** Instead of adding: what is cut out of the file. */
  readonly cut?: RegExp
  /** What stands there then. */
  readonly instead?: string
  /** What the check must say of it. */
  readonly says: RegExp
}

const violations: readonly Violation[] = [
  {
    what: 'an arrow to a room above',
    path: 'src/contract/mode.ts',
    add: `import type { Lease } from '../broker/index.ts'`,
    says: /contract may not import broker/,
  },
  {
    what: 'an arrow to a room above by import()',
    path: 'src/primitives/id.ts',
    add: `export const late = () => import('../contract/index.ts')`,
    says: /primitives may not import contract/,
  },
  {
    what: 'the machine plane in the human plane',
    path: 'src/server/human/made.ts',
    add: `import { a } from '../machine/index.ts'`,
    says: /server\/human may not import server\/machine/,
  },
  {
    what: 'the human plane in the machine plane',
    path: 'src/server/machine/made.ts',
    add: `export * from '../human/index.ts'`,
    says: /server\/machine may not import server\/human/,
  },
  {
    what: 'an adapter outside the catalog',
    path: 'src/cli/made.ts',
    add: `import { jwt } from '../adapters/providers/jwt/index.ts'`,
    says: /cli may not import adapters/,
  },
  {
    what: 'a way past a door',
    path: 'src/broker/made.ts',
    add: `import { Secret } from '../primitives/secret.ts'`,
    says: /goes past the door src\/primitives\/index\.ts/,
  },
  {
    what: 'a way past the door of an adapter',
    path: 'src/catalog/made.ts',
    add: `import { sign } from '../adapters/providers/jwt/sign.ts'`,
    says: /goes past the door src\/adapters\/providers\/jwt\/index\.ts/,
  },
  {
    what: 'an adapter in another adapter',
    path: 'src/adapters/providers/made/made.ts',
    add: `import { jwt } from '../jwt/index.ts'`,
    says: /one adapter imports another/,
  },
  {
    what: 'the backend in the client',
    path: 'client/src/made.ts',
    add: `import { Secret } from '../../src/primitives/index.ts'`,
    says: /client may not import primitives/,
  },
  {
    what: 'a dependency in the client',
    path: 'client/src/made.ts',
    add: `import { z } from 'zod'`,
    says: /client may not import the package zod/,
  },
  {
    what: 'a package that the room has no use for',
    path: 'src/broker/made.ts',
    add: `import { Client } from 'pg'`,
    says: /broker may not import the package pg/,
  },
  {
    what: 'a test in what ships',
    path: 'src/broker/made.ts',
    add: `import { a } from './made.test.ts'`,
    says: /imports a test/,
  },
  {
    what: 'a way off the map',
    path: 'src/cli/made.ts',
    add: `import { run } from '../../tools/run.ts'`,
    says: /leaves the map/,
  },
  {
    what: 'a file in no room',
    path: 'src/made.ts',
    add: `export const a = 1`,
    says: /stands in no room/,
  },
  {
    what: 'an import that is computed',
    path: 'src/catalog/made.ts',
    add: `export const load = (name: string) => import(name)`,
    says: /imports what it computes/,
  },
  ...[
    ['the disk', `import { readFileSync } from 'node:fs'`, /pure and imports node:fs/],
    ['another process', `import { spawn } from 'node:child_process'`, /pure and imports node:child_process/],
    ['a socket', `import net from 'node:net'`, /pure and imports node:net/],
    ['the network', `export const a = () => fetch('http://127.0.0.1')`, /pure and reads the network/],
    ['the environment', `export const a = process.env['HOME']`, /pure and reads the process/],
    ['the clock', `export const a = Date.now()`, /pure and reads the time/],
    ['the date', `export const a = new Date()`, /pure and reads the time/],
    ['the stopwatch', `export const a = performance.now()`, /pure and reads the time/],
    ['a timer', `setTimeout(() => {}, 1)`, /pure and reads a timer/],
    ['a hidden timer', `export const a = AbortSignal.timeout(1)`, /pure and reads a timer/],
    ['weak randomness', `export const a = Math.random()`, /pure and reads randomness/],
    ['randomness', `import { randomUUID } from 'node:crypto'`, /pure and reads randomness/],
  ].flatMap(([what, add, says]) =>
    ['primitives', 'contract', 'broker', 'protocol'].map((room) => ({
      what: `${what} in ${room}`,
      path: `src/${room}/made.ts`,
      add: String(add),
      says: says instanceof RegExp ? says : /never/,
    })),
  ),
  ...['contract', 'broker', 'protocol', 'server/machine', 'server/human'].map((room) => ({
    what: `a secret that is revealed in ${room}`,
    path: `src/${room}/made.ts`,
    add: `export const a = (secret: Secret) => secret.reveal()`,
    says: /may not reveal a secret/,
  })),
  {
    what: 'a secret that is revealed by another name',
    path: 'src/broker/made.ts',
    add: `export const a = (secret: Secret) => secret['reveal']()`,
    says: /broker may not reveal a secret/,
  },
  {
    what: 'a drawer',
    path: 'src/broker/utils.ts',
    add: `export const a = 1`,
    says: /utils is a drawer/,
  },
  {
    what: 'a drawer for a folder',
    path: 'src/broker/common/lease.ts',
    add: `export const a = 1`,
    says: /common is a drawer/,
  },
  {
    what: 'a drawer with a first name',
    path: 'src/broker/lease-manager.ts',
    add: `export const a = 1`,
    says: /lease-manager is a drawer/,
  },
  {
    what: 'a cast',
    path: 'src/broker/made.ts',
    add: `export const a = b as Lease`,
    says: /has an unchecked cast/,
  },
  {
    what: 'any',
    path: 'tools/made.ts',
    add: `export const a: any = 1`,
    says: /has any/,
  },
  {
    what: 'a default export',
    path: 'src/cli/made.ts',
    add: `export default 1`,
    says: /has a default export/,
  },
  {
    what: 'a check that is switched off',
    path: 'test/made.ts',
    add: `// ${'@ts'}-expect-error no reason`,
    says: /switches a check off/,
  },
  {
    what: 'code in a door',
    path: 'src/primitives/index.ts',
    add: `export const a = 1`,
    says: /a door holds exports/,
  },
  {
    what: 'an adapter that the catalog does not name',
    path: 'src/adapters/providers/made/index.ts',
    add: ``,
    says: /is not in the catalog/,
  },
  {
    what: 'an adapter without its conformance suite',
    path: 'src/adapters/stores/made/index.ts',
    add: ``,
    says: /does not run the conformance suite/,
  },
  {
    what: 'a conformance suite that is imported but not called',
    path: 'src/adapters/stores/made/made.test.ts',
    add: `import { storeConformance } from '../../../testing/index.ts'\n// storeConformance()`,
    says: /does not run the conformance suite/,
  },
  {
    what: 'an adapter without a door',
    path: 'src/adapters/stores/made/made.ts',
    add: ``,
    says: /has no door/,
  },
  {
    what: 'a provider without a page',
    path: 'src/adapters/providers/made/index.ts',
    add: ``,
    says: /has no page, docs\/providers\/made\.md/,
  },
  {
    what: 'a file between adapters',
    path: 'src/adapters/providers/made.ts',
    add: ``,
    says: /an adapter has a folder of its own/,
  },
  {
    what: 'a failure code without a paragraph',
    path: 'docs/errors.md',
    add: '',
    cut: /^### `denied`$/m,
    says: /has no paragraph on denied/,
  },
  {
    what: 'a paragraph without a failure code',
    path: 'docs/errors.md',
    add: '### `sunspots`\n\nStatus 500. Too many.',
    says: /sunspots is no failure code/,
  },
  {
    what: 'another status than that of the server',
    path: 'docs/errors.md',
    add: '',
    cut: /(?<=^### `denied`\n\nStatus 40)3/m,
    instead: '4',
    says: /says status 404 of denied, which has 403/,
  },
  {
    what: 'an arrow that the table no longer has',
    path: 'ARCHITECTURE.md',
    add: '',
    cut: /(?<=\| `contract` \| )`primitives`/,
    says: /contract may not import primitives/,
  },
]

for (const violation of violations)
  test(`${violation.what} is caught`, () => {
    const found = messages(change(sample, violation))
    assert.ok(
      found.some((message) => violation.says.test(message)),
      `the checks said only: ${found.join('; ') || 'nothing'}`,
    )
  })

test('a test may look past doors and read the time; a conformance suite that is called counts', () => {
  const adapter = 'src/adapters/stores/made/'
  const changed = new Map(sample)
    .set(
      'src/broker/made.test.ts',
      `import { Secret } from '../primitives/secret.ts'\nconst a = Date.now()\n`,
    )
    .set(`${adapter}index.ts`, `export { made } from './made.ts'\n`)
    .set(
      `${adapter}made.test.ts`,
      `import { storeConformance } from '../../../testing/index.ts'\nstoreConformance(() => made())\n`,
    )
    .set('src/catalog/made.ts', `import { made } from '../adapters/stores/made/index.ts'\n`)
  assert.deepEqual(
    checkArchitecture(changed).filter((finding) => finding.place.includes('made')),
    [],
  )
})

function change(original: Tree, violation: Violation): Tree {
  const text = original.get(violation.path) ?? ''
  const cut = violation.cut ? text.replace(violation.cut, violation.instead ?? '') : text
  if (violation.cut) assert.notEqual(cut, text, `${violation.path} has nothing to cut`)
  return new Map(original).set(violation.path, `${cut}\n${violation.add}\n`)
}

function messages(of: Tree): readonly string[] {
  return checkArchitecture(of).map((finding) => `${finding.place}: ${finding.message}`)
}
