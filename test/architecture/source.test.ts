import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrowsOf, linesWith, readSource } from './source.ts'

const targets = (text: string) => arrowsOf(readSource('a.ts', text)).map((arrow) => arrow.target)

test('every form of import is an arrow', () => {
  const text = [
    `import a from './a.ts'`,
    `import type { B } from "./b.ts"`,
    `import {`,
    `  c,`,
    `} from './c.ts'`,
    `import './d.ts'`,
    `export * from './e.ts'`,
    `export type { F } from './f.ts'`,
    `const g = await import('./g.ts')`,
    `type H = typeof import ( './h.ts' )`,
  ].join('\n')
  assert.deepEqual(
    targets(text),
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.ts`),
  )
  assert.equal(arrowsOf(readSource('a.ts', text))[2]?.line, 5)
})

test('an import in a comment, a string, a template or a regular expression is none', () => {
  const text = [
    `// import './a.ts'`,
    `/* import './b.ts'`,
    `   import './c.ts' */`,
    `const d = "import './d.ts'"`,
    `const e = \`import './e.ts' \${\`nested import './f.ts'\`}\``,
    `const g = /import '.\\/g.ts'/`,
    `const h = Array.from('./h.ts')`,
  ].join('\n')
  assert.deepEqual(targets(text), [])
})

test('an import after a quote inside a regular expression, or inside a template, is found', () => {
  assert.deepEqual(targets(`const a = text.replace(/['"\`/]/g, '')\nimport './b.ts'`), ['./b.ts'])
  assert.deepEqual(targets(`const a = \`x \${await import('./c.ts')} y\``), ['./c.ts'])
  assert.deepEqual(targets(`const half = (a + b) / 2 // it's\nimport './d.ts'`), ['./d.ts'])
  assert.deepEqual(targets(`const a = b['it'] / c / d['x']\nimport './e.ts'`), ['./e.ts'])
  assert.deepEqual(targets(`return /'/.test(a)\nimport './f.ts'`), ['./f.ts'])
})

test('an import whose target is computed has no target', () => {
  assert.deepEqual(targets('await import(name)'), [undefined])
  assert.deepEqual(targets(`await import(\`./\${name}.ts\`)`), [undefined])
})

test('words are found with their line, in code but not in what is quoted or remarked', () => {
  const source = readSource('a.ts', `// Date.now()\nconst a = 'Date.now()'\nconst b = Date.now()\n`)
  assert.deepEqual(linesWith(source, /Date\.now/g), [{ line: 3, text: 'Date.now' }])
  assert.equal(linesWith(source, /Date\.now/g, 'code').length, 2)
})
