import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { program } from './main.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/cli.md'), 'utf8')

/** `audit tail`, `check` and so on: what the help shows. */
function callable(command: Command, name = ''): readonly string[] {
  if (command.commands.length === 0) return [name]
  const shown = command.createHelp().visibleCommands(command)
  return shown
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => callable(child, `${name} ${child.name()}`.trim()))
}

/** The names in the first column of the table of commands; `audit tail\|show` are two. */
const listed = new Set(
  [...(page.split('## Which broker')[0] ?? '').matchAll(/^\| (`.*?`) \|/gm)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code))
    .flatMap((code) => {
      const words = code
        .replaceAll('\\|', '|')
        .split(' ')
        .filter((word) => /^[a-z][a-z|-]*$/.test(word))
      const [last = ''] = words.splice(-1)
      return last.split('|').map((name) => [...words, name].join(' '))
    }),
)

test('the table of commands has every command of the help, and no other', () => {
  const commands = callable(program())
  assert.ok(commands.length > 25)
  assert.deepEqual([...listed].sort(), [...commands].sort())
})

test('every command stands in an example of a page', () => {
  const examples = globSync('docs/**/*.md', { cwd: root }).flatMap((file) =>
    [
      ...readFileSync(join(root, file), 'utf8').matchAll(
        /^```(?:console|sh|text)\n(.*?)^```$|^<!-- (\$.*) -->$/gms,
      ),
    ].map(([, block, hidden]) => (block ?? hidden ?? '').replaceAll('start-broker', 'sallyport')),
  )
  const missing = callable(program()).filter(
    (name) => !examples.some((block) => block.includes(`sallyport ${name}`)),
  )
  assert.deepEqual(missing, [])
})
