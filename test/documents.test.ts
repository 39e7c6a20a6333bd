import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseDocument } from 'yaml'

const root = join(import.meta.dirname, '..')
const documents = globSync(['*.md', 'docs/**/*.md', 'client/*.md'], { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))

test('every link within the repository leads somewhere', () => {
  const dead = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

test('every example of TypeScript, JSON and YAML can be read', () => {
  const unreadable = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/^```(ts|json|yaml)\n(.*?)^```$/gms)].flatMap(([, language = '', code = '']) => {
      const problem = problemOf(language, code)
      return problem ? [`${path}: ${language}: ${problem}`] : []
    }),
  )
  assert.deepEqual(unreadable, [])
})

function problemOf(language: string, code: string): string | undefined {
  try {
    if (language === 'ts') stripTypeScriptTypes(code)
    if (language === 'json') JSON.parse(code)
    return language === 'yaml' ? parseDocument(code).errors[0]?.message : undefined
  } catch (thrown) {
    return String(thrown)
  }
}

test('every decision is a numbered note in the index, and every line of the index is a note', () => {
  const notes = globSync('docs/decisions/[0-9]*.md', { cwd: root }).map((path) =>
    path.slice('docs/decisions/'.length),
  )
  const index = readFileSync(join(root, 'docs/decisions/README.md'), 'utf8')
  const listed = [...index.matchAll(/\]\((\d{4}-[a-z0-9-]+\.md)\)/g)].map((match) => match[1])
  assert.deepEqual(listed, notes.toSorted())
  const numbers = notes.map((note) => note.slice(0, 4))
  assert.equal(new Set(numbers).size, numbers.length, 'a number is used twice')
})

test('the README begins with the two commands, and CI runs the one for tests', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const commands = [...readme.matchAll(/^npm ci && npm .*$/gm)].map((match) => match[0])
  assert.deepEqual(commands.slice(0, 2), ['npm ci && npm run demo', 'npm ci && npm test'])
  assert.ok(readFileSync(join(root, '.ci/run'), 'utf8').includes('npm ci && npm test'))
})

test('every package inside what is published stands in the decision on dependencies', () => {
  const note = readFileSync(join(root, 'docs/decisions/0006-dependencies.md'), 'utf8')
  const rooms = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| `/.test(line) && line.split('|').length === 7)
  const packages = new Set(rooms.flatMap((row) => row.split('|')[3]?.match(/(?<=`)[^` ]+(?=`)/g) ?? []))
  assert.ok(packages.size > 5)
  assert.deepEqual(
    [...packages].filter((name) => !note.includes(`| \`${name}\` |`)),
    [],
  )
})
