import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLogKey, parseWitnessKey } from '../audit/index.ts'
import { createSubmitter } from './index.ts'
import { append, logOf, signer } from './testbed.fixture.ts'

const program = fileURLToPath(new URL('./crash.fixture.ts', import.meta.url))
const rounds = 4

test('a witness that dies between its record and its answer remembers, and cosigns when it is asked again', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-witness-crash-'))
  const key = createLogKey('witness.example.test/mortal')
  const { vkey } = parseWitnessKey(key)
  const keyFile = join(folder, 'key')
  writeFileSync(keyFile, key.reveal())
  const log = await logOf({ first: 2 })
  try {
    for (let round = 1; round <= rounds; round += 1) {
      await append(log, 'more', 3)
      const newest = { note: log.checkpoint(), size: log.size() }
      const mortal = await start(folder, keyFile, 1)
      const lost = await createSubmitter({ url: mortal.url, vkey }, log).submit(
        newest,
        AbortSignal.timeout(10_000),
      )
      assert.equal(lost.kind, 'unreachable')
      assert.deepEqual(await mortal.gone, [null, 'SIGKILL'])

      const again = await start(folder, keyFile, 0)
      const remembered = await (
        await fetch(`${again.url}/checkpoint?origin=${encodeURIComponent(signer.name)}`)
      ).text()
      assert.ok(remembered.startsWith(newest.note))
      const fork = await logOf({ another: log.size() + 1 })
      const submit = (of: typeof log) =>
        createSubmitter({ url: again.url, vkey }, of).submit(
          { note: of.checkpoint(), size: of.size() },
          AbortSignal.timeout(10_000),
        )
      assert.equal((await submit(fork)).kind, 'forked')
      assert.equal((await submit(log)).kind, 'cosigned')
      again.child.kill('SIGTERM')
      await again.gone
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  context.diagnostic(`${rounds} deaths between record and answer; forgotten: nothing`)
})

type Running = { readonly child: ChildProcess; readonly url: string; readonly gone: Promise<unknown[]> }

async function start(folder: string, keyFile: string, deaths: number): Promise<Running> {
  const child = spawn(
    process.execPath,
    [program, join(folder, 'state'), keyFile, signer.vkey, String(deaths)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const gone = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const [port]: unknown[] = await once(lines, 'line')
  return { child, url: `http://127.0.0.1:${String(port)}`, gone }
}
