import { spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { buildEntry } from '../tools/build.ts'
import { runTranscript } from './transcript.ts'

const root = join(import.meta.dirname, '..')
// The program as it is published, because it starts at a third of the time; beside the packages, for the demo's database.
const cache = join(root, 'node_modules/.cache')
mkdirSync(cache, { recursive: true })
const built = mkdtempSync(join(cache, 'cli-'))
after(() => rmSync(built, { recursive: true }))
await buildEntry({ source: 'src/cli/main.ts', target: join(built, 'sallyport.js'), kind: 'program' })
await buildEntry({ source: 'src/cli/start.ts', target: join(built, 'start.cjs'), kind: 'starter' })

// Each runs in an empty folder of its own, with nothing of the machine's environment.
suite('transcripts', { concurrency: 2 }, () => {
  for (const file of globSync('test/cli/*.txt', { cwd: root }).sort())
    test(`${file} is what a terminal shows`, () => runThere(readFileSync(join(root, file), 'utf8')))
})

// What the pages show on a terminal, against a development broker; `<!-- $ command -->` is what the reader does elsewhere.
suite('pages', { concurrency: 2 }, () => {
  for (const page of [
    'docs/getting-started.md',
    'docs/cli.md',
    'docs/witness.md',
    'docs/backup.md',
    'docs/environment.md',
  ])
    test(`${page} shows what a terminal shows`, async () => {
      const text = readFileSync(join(root, page), 'utf8')
      const pieces = [...text.matchAll(/^```console\n(.*?)^```$|^<!-- (\$ [^\n]*) -->$/gms)]
      const shown = pieces.map(([, block, command]) => block ?? `${command}\n`).join('')
      await runThere(`${started}\n${shown}`, { SALLYPORT_DEV: 'dev' })
    })
})

const started = '$ start-broker broker dev --dir dev --port 0 --human-port 0'

async function runThere(transcript: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
  try {
    for (const [name, script] of Object.entries(programs)) writeProgram(join(folder, name), script)
    await runTranscript(transcript, { folder, env: { ...environment(folder), ...more } })
  } finally {
    stopBrokers(folder)
    rmSync(folder, { recursive: true })
  }
}

const programs = {
  sallyport: `exec '${process.execPath}' '${join(built, 'start.cjs')}' "$@"`,
  // A broker in the background: `start-broker NAME WORD…` runs `sallyport WORD… --json` and returns when it is ready; when it ended instead it
  // says why and fails. Its line stands in NAME.json, its log in NAME.log; `stop-broker NAME` ends it with SIGTERM and gives its exit code.
  'start-broker': `name=$1; shift; rm -f "$name.json" "$name.exit"
( sallyport "$@" --json >"$name.json" 2>"$name.log" & echo $! >"$name.pid"; wait $!; echo $? >"$name.code"; mv "$name.code" "$name.exit" ) </dev/null >/dev/null 2>&1 &
until [ -s "$name.json" ] || [ -e "$name.exit" ]; do sleep 0.05; done
[ -s "$name.json" ] || cat "$name.log"
grep -v '^{"error"' "$name.json" >/dev/null || { cat "$name.json"; exit 1; }`,
  'stop-broker': `kill "$(cat "$1.pid")"; rm "$1.pid"; until [ -e "$1.exit" ]; do sleep 0.05; done; exit "$(cat "$1.exit")"`,
}

function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

/** Returns when they have ended: before that they write in the folder. */
function stopBrokers(folder: string): void {
  for (const file of globSync('*.pid', { cwd: folder })) {
    const options = { cwd: folder, timeout: 30_000, stdio: 'ignore' } as const
    const { error } = spawnSync('./stop-broker', [file.replace(/\.pid$/, '')], options)
    if (error)
      throw new Error(`The broker of ${file} still runs 30 s after it was told to stop.`, { cause: error })
  }
}

function environment(folder: string): Record<string, string> {
  const path = `${folder}:${join(root, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin`
  // Of its own: what a command leaves behind can be told from what another test has there for a moment.
  const temporary = join(folder, '.tmp')
  mkdirSync(temporary)
  return { PATH: path, HOME: folder, TMPDIR: temporary, NO_COLOR: '1', CONTRACTS: join(root, 'contracts') }
}
