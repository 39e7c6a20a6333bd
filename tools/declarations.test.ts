import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { copyDeclarations } from './declarations.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-declarations-'))
after(() => rmSync(folder, { recursive: true }))

let copies = 0

/** Copies what `first` reaches of these files; gives the text of one that was copied. */
function copied(
  files: Readonly<Record<string, string>>,
  first: string,
): (file: string) => string | undefined {
  copies += 1
  const [from, to] = [join(folder, `from-${copies}`), join(folder, `to-${copies}`)]
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(from, file)), { recursive: true })
    writeFileSync(join(from, file), text)
  }
  copyDeclarations({ from, to, first })
  return (file) => (existsSync(join(to, file)) ? readFileSync(join(to, file), 'utf8') : undefined)
}

const rooms = {
  'a/index.d.ts': `export { type One, two, } from '../b/index.ts';\nexport * from './rest.ts';\n`,
  'a/rest.d.ts': `import type { Deep as Own } from '../b/index.ts';\nexport type Rest = Own | import("../b/far.ts").Far;\n`,
  'b/index.d.ts': `export type { One } from './one.ts';\nexport { schema, shaped as two } from './two.ts';\nexport { type Deep } from './deep/index.ts';\nexport { z } from './packaged.ts';\n`,
  'b/one.d.ts': `import { type Server } from 'node:http';\nexport type One = Server;\n`,
  'b/two.d.ts': `export declare const shaped: 2;\n`,
  'b/far.d.ts': `export type Far = 4;\n`,
  'b/deep/index.d.ts': `export { type Depth as Deep } from './depth.ts';\n`,
  'b/deep/depth.d.ts': `export type Depth = 3;\n`,
  'b/packaged.d.ts': `import { z } from 'zod';\nexport { z };\n`,
}

test('each name comes from the file that declares it, and what nothing reaches stays behind', () => {
  const read = copied(rooms, 'a/index.d.ts')
  assert.equal(
    read('a/index.d.ts'),
    `export { type One } from '../b/one.ts';\nexport { shaped as two } from '../b/two.ts';\nexport * from './rest.ts';\n`,
  )
  assert.match(
    read('a/rest.d.ts') ?? '',
    /^import type \{ Depth as Own \} from '\.\.\/b\/deep\/depth\.ts';$/m,
  )
  for (const file of ['b/one.d.ts', 'b/two.d.ts', 'b/far.d.ts', 'b/deep/depth.d.ts'])
    assert.ok(read(file), file)
  for (const file of ['b/index.d.ts', 'b/packaged.d.ts', 'b/deep/index.d.ts'])
    assert.equal(read(file), undefined)
})

for (const text of [
  `import { z } from 'zod';\nexport type A = z.Any;\n`,
  `export type A = import("zod").Any;\n`,
  `export * from 'zod';\n`,
  `import {\n    z,\n} from 'zod';\n`,
  `import 'zod';\n`,
  `/// <reference types="zod" />\n`,
])
  test(`a package that nobody installs is named: ${text.split('\n')[0]}`, () => {
    assert.throws(
      () => copied({ 'index.d.ts': `export { type A } from './a.ts';\n`, 'a.d.ts': text }, 'index.d.ts'),
      /^Error: a\.d\.ts takes types of zod, which nobody has/,
    )
  })
