import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

/** A folder of this test file alone, gone when its tests are. */
export function guardFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-compile-'))
  after(() => rmSync(folder, { recursive: true }))
  return {
    folder,
    /** Gives the path of what it wrote. */
    write(name: string, text: string): string {
      writeFileSync(join(folder, name), text, { mode: 0o755 })
      return join(folder, name)
    },
  }
}

/** A program in this environment, with PATH and nothing else. */
export function run(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly input?: string } = {},
) {
  const [program = '', ...rest] = words
  return spawnSync(program, rest, {
    ...options,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    timeout: 30_000,
  })
}

/** The shells of this machine that the guard in sh is for, as the words that start them. */
export const shells: readonly (readonly string[])[] = [['dash'], ['bash'], ['busybox', 'sh']].filter(
  (words) => run([...words, '-c', ':'], {}).status === 0,
)

/** Whether there is a Python. */
export const hasPython = run(['python3', '--version'], {}).status === 0
