import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Secret } from '../../src/primitives/index.ts'

const root = join(import.meta.dirname, '../..')
const sources = globSync('src/**/*.ts', { cwd: root })
  .filter((path) => !/\.(test|fixture)\.ts$|^src\/testing\//.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** Comparisons beside a secret whose time says nothing of a secret that the asker does not have. */
const harmless: Readonly<Record<string, string>> = {
  'src/adapters/identity/machine-key/machine-key.ts: checksum(text.slice(0, -6)) === text.slice(-6)':
    'The checksum of the asker’s own text, which the asker can compute.',
}

/** Where a secret, or what stands for one, is compared: always so that the time does not depend on where they differ. */
const places: readonly (readonly [path: string, how: string])[] = [
  // A digest is looked up: what could be measured is how much of a hash the asker hit, which nobody can steer.
  ['src/adapters/identity/machine-key/machine-key.ts', 'digests.has(sha256)'],
  // The same in a service of the user's own: keys, and tokens whose proof is remembered for some seconds.
  ['src/catalog/planes.ts', 'keys?.get(sha256Hex(key))'],
  ['src/catalog/planes.ts', 'const digest = sha256Hex(token)'],
  // What an Idempotency-Key is kept by.
  ['src/broker/idempotency.ts', 'return sha256Hex(key)'],
  ['src/adapters/providers/seed-interface/answer.ts', 'equalInConstantTime('],
  // What a rotation wrote and what lies in its file, both the broker's own.
  ['src/adapters/providers/postgres/password-file.ts', 'equalInConstantTime('],
  // The id of the fingerprints' key, not the key.
  ['src/hygiene/fingerprint.ts', 'equalInConstantTime('],
  // Signatures are verified with public keys.
  ['src/adapters/providers/jwt/jws.ts', 'verify('],
  ['src/adapters/identity/token/signature.ts', 'verify('],
]

/** Every other file that reveals a secret, and where it goes to from there without being compared. */
const passedOn: Readonly<Record<string, string>> = {
  'src/adapters/databases/postgres/target.ts': 'the migration’s own connection is read',
  'src/adapters/identity/token/token.ts': 'a caller’s token is read and its signature verified',
  'src/adapters/policy/opa-server/opa-server.ts': 'a header to the OPA server',
  'src/adapters/providers/aws/exchange.ts': 'a signature to AWS',
  'src/adapters/providers/jwt/provider.ts': 'a caller’s token, whose signature is verified',
  'src/adapters/providers/postgres/config.ts': 'an address is read',
  'src/adapters/providers/postgres/database.ts': 'a login',
  'src/adapters/providers/postgres/provider.ts': 'the credential that is minted',
  'src/adapters/providers/postgres/scram.ts': 'a verifier is computed',
  'src/audit/key-file.ts': 'a file',
  'src/audit/key.ts': 'a key file is read',
  'src/catalog/migration.ts': 'the scheme of the migration’s own address',
  'src/cli/dev-folder.ts': 'a file',
  'src/cli/key.ts': 'the terminal of who asked for it',
  'src/cli/planes-probe.ts': 'a header of the probe',
  'src/server/http/credentials.ts': 'the one answer',
}

test('no revealed secret is compared by an operator or a method that stops at the first difference', () => {
  const found = sources.flatMap(({ path, text }) => comparisons(text).map((line) => `${path}: ${line}`))
  assert.deepEqual(
    found.filter((one) => !(one in harmless)),
    [],
  )
  assert.deepEqual(
    Object.keys(harmless).filter((one) => !found.includes(one)),
    [],
    'an exception that is no more',
  )
  const revealing = sources.filter(({ text }) => text.includes('.reveal()')).length
  console.log(
    `${sources.length} files, ${revealing} of them reveal secrets, ${found.length} comparison that is harmless`,
  )
})

test('the places where secrets are compared are these, and compare in constant time', () => {
  for (const [path, how] of places) {
    const text = sources.find((source) => source.path === path)?.text
    assert.ok(text?.includes(how), `${path} holds ${how}`)
  }
  const others = sources
    .filter(({ text }) => /timingSafeEqual|equalInConstantTime\(/.test(text))
    .map(({ path }) => path)
  const known = [...places.map(([path]) => path), 'src/primitives/digest.ts']
  assert.deepEqual(
    others.filter((path) => !known.includes(path)),
    [],
  )
})

test('every file that reveals a secret is in one of the lists', () => {
  const revealing = sources.filter(
    ({ path, text }) => text.includes('.reveal()') && path !== 'src/primitives/secret.ts',
  )
  const listed = new Set([...places.map(([path]) => path), ...Object.keys(passedOn)])
  assert.deepEqual(
    revealing.map(({ path }) => path).filter((path) => !listed.has(path)),
    [],
    'say where the secret goes, or how it is compared',
  )
  assert.deepEqual(
    Object.keys(passedOn).filter((path) => !revealing.some((source) => source.path === path)),
    [],
    'reveals nothing any more',
  )
  console.log(`${revealing.length} files reveal secrets, ${places.length} places compare them`)
})

test('each way of comparing a secret is found', () => {
  for (const line of [
    'if (key.reveal() === given) return true',
    'if (given !== key.reveal()) return false',
    'return keys.includes(key.reveal())',
    'return held.get(key.reveal())',
    'const shown = key.reveal()\nif (shown === expected) return true',
    'const shown = key.reveal().trim()\nreturn expected == shown',
    'const shown = key.reveal()\nreturn expected.startsWith(shown)',
    'const shown = key.reveal()\nswitch (shown) {}',
    'const shown = key.reveal()\nreturn shown.slice(0, 4) === prefix',
    'const shown = key.reveal()\nreturn Buffer.from(shown).equals(expected)',
  ])
    assert.equal(comparisons(line).length, 1, line)
  assert.deepEqual(comparisons('const shown = key.reveal()\nreturn equalInConstantTime(shown, expected)'), [])
})

test('a secret cannot be compared by accident', () => {
  const [one, other] = [new Secret('same'), new Secret('same')]
  assert.equal(Object.is(one, other), false, 'two with one value are two')
  assert.equal(`${one}` === 'same', false)
})

/** The expressions of a source in which a revealed secret, or a name given to one, is compared. */
function comparisons(text: string): readonly string[] {
  const names = [...text.matchAll(/(?:const|let) (\w+) = [^\n]*\.reveal\(\)/g)].map((match) => match[1] ?? '')
  const secret = `(?:[\\w.]+\\.reveal\\(\\)${names.map((name) => `|\\b${name}\\b(?!\\.(?!slice|trim|substring))`).join('')})(?:\\.(?:slice|trim|substring)\\([^()]*\\))?`
  const compared = new RegExp(
    [
      `[^\\s({,]*\\(?${secret}\\)? ?[!=]==? [^\\s{]+`,
      `[^\\s({]+ ?[!=]==? ${secret}`,
      `\\w+\\.(?:includes|indexOf|startsWith|endsWith|has|get|localeCompare|equals)\\(${secret}`,
      `switch \\(${secret}\\)`,
      `\\(${secret}\\)\\.(?:equals|compare)\\(`,
    ].join('|'),
    'g',
  )
  // `typeof` and a comparison with nothing look at no character.
  return [...text.matchAll(compared)]
    .map((match) => match[0])
    .filter((found) => !/undefined|null|\.length|''/.test(found))
}
