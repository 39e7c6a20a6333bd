import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLog, createLogKey, parseEntry, parseLogKey, verifyExport } from '../../../audit/index.ts'
import { openSqliteStore } from './index.ts'

const rounds = 8
const keyText = createLogKey('log.example.test/crash')
const signer = parseLogKey(keyText)

const writer = fileURLToPath(new URL('./crash.fixture.ts', import.meta.url))

test('nothing that was acknowledged is lost when the process is killed in the midst of writing', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-crash-'))
  const files = {
    path: join(folder, 'log.db'),
    key: join(folder, 'log.key'),
    writer: join(folder, 'writer.ts'),
  }
  writeFileSync(files.key, keyText.reveal())
  const acknowledged = new Map<number, string>()
  let last = 0
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const before = acknowledged.size
      await writeUntilKilled(files, round, acknowledged)
      assert.ok(acknowledged.size > before, 'every round acknowledges something before the kill')
      last = await checkStore(files.path, acknowledged, last)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  context.diagnostic(`${rounds} kills, ${acknowledged.size} acknowledged, ${last} stored; lost: nothing`)
})

async function writeUntilKilled(
  files: { path: string; key: string },
  round: number,
  acknowledged: Map<number, string>,
): Promise<void> {
  const child = spawn(process.execPath, [writer, files.path, files.key, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const killAfter = 1 + Math.floor(Math.random() * 400)
  let seen = 0
  // Only lines that arrived whole were acknowledged; the kill may cut the last one.
  for await (const line of createInterface({ input: child.stdout })) {
    const [, index, id = ''] = /^(\d+) (lse_\d+)$/.exec(line) ?? []
    if (index === undefined || !id.startsWith(`lse_${round}`)) continue
    seen += 1
    if (seen <= killAfter || !child.killed) acknowledged.set(Number(index), id)
    if (seen === killAfter) child.kill('SIGKILL')
  }
}

async function checkStore(
  path: string,
  acknowledged: ReadonlyMap<number, string>,
  sizeBefore: number,
): Promise<number> {
  const store = openSqliteStore({ path })
  const log = await createLog({ storage: store.storage, signer })
  assert.ok(log.size() >= sizeBefore)
  for (const [index, id] of acknowledged) {
    assert.equal(parseEntry((await log.entry(index)) ?? Buffer.of())?.lease_id, id)
    assert.equal((await store.leases.find(id))?.state, 'intended')
  }
  // Every entry of this test opens a lease: none of the two is there without the other.
  assert.equal((await store.leases.count()).intended, log.size())
  const verdict = await verifyExport(log.export(), { vkeys: [log.vkey] })
  assert.equal(verdict.kind, 'verified')
  store.close()
  return log.size()
}
