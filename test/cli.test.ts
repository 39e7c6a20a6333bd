import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTranscript } from './transcript.ts'

const root = join(import.meta.dirname, '..')

// Each runs in an empty folder of its own, with `sallyport` from the source and nothing of the machine's environment.
for (const file of globSync('test/cli/*.txt', { cwd: root }).sort())
  test(`${file} is what a terminal shows`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
    try {
      writeProgram(folder)
      await runTranscript(readFileSync(join(root, file), 'utf8'), { folder, env: environment(folder) })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

function writeProgram(folder: string): void {
  const path = join(folder, 'sallyport')
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'src/cli/main.ts')}' "$@"\n`)
  chmodSync(path, 0o755)
}

function environment(folder: string): Record<string, string> {
  const path = `${folder}:${join(root, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin`
  return { PATH: path, HOME: folder, TMPDIR: tmpdir(), NO_COLOR: '1', CONTRACTS: join(root, 'contracts') }
}
