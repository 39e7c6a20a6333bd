import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { buildEntry } from '../tools/build.ts'
import { type Bench, wallMilliseconds } from './harness.ts'

const program = join(import.meta.dirname, '../dist/sallyport.js')

/** The published program against the Node that runs it and does nothing. */
export const startup: Bench = {
  name: 'startup',
  title: 'the command line against bare node',
  rounds: { full: 15, short: 2 },
  open: async () => {
    await buildEntry({ source: 'src/cli/main.ts', target: program, kind: 'program' })
    const bare = { name: 'node -e 0', run: () => start('--eval', '0') }
    const rows = [
      { row: 'sallyport --version', words: ['--version'] },
      { row: 'sallyport --help', words: ['--help'] },
    ]
    return rows.map(({ row, words }) => ({
      row,
      subject: { name: 'sallyport', run: () => start(program, ...words) },
      against: bare,
      goal: 2,
    }))
  },
}

function start(...words: readonly string[]): Promise<number> {
  return wallMilliseconds(() => {
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 30_000 })
    if (status !== 0) throw new Error(`node ${words.join(' ')} failed:\n${stderr}`)
  })
}
