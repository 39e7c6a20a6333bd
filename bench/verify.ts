import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openSqliteStore } from '../src/adapters/stores/sqlite/index.ts'
import { createLog, createLogKey, parseLogKey } from '../src/audit/index.ts'
import { type Bench, fixed } from './harness.ts'
import { cores, startPinned, unpinnable } from './rig/pinned.ts'
import { issuedEntry, liveLease } from './rig/seed.ts'
import type { Verified } from './rig/verifier.ts'

const program = join(import.meta.dirname, 'rig/verifier.ts')
const atOnce = 1_000

/** Offline verification of an export against hashing alone, and its memory against that for a tenth of the log. */
export const verify: Bench = {
  name: 'verify',
  title: 'verifying an exported log of a million entries against hashing the same from memory',
  rounds: { full: 3, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const count = scale === 'full' ? 1_000_000 : 40_000
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-verify-'))
    world.defer(() => rmSync(folder, { recursive: true, force: true }))
    const signer = parseLogKey(createLogKey('bench'))
    const store = openSqliteStore({ path: join(folder, 'log.db') })
    const log = await createLog({ storage: store.storage, signer })
    const [part, whole] = [join(folder, 'part'), join(folder, 'whole')]
    const entry = issuedEntry(liveLease('acme', 'agent-0-of-acme'))
    for (let written = 0; written < count; written += atOnce) {
      if (written === count / 10) await pipeline(log.export(), createWriteStream(part))
      await Promise.all(Array.from({ length: atOnce }, () => log.record({ entry })))
    }
    await pipeline(log.export(), createWriteStream(whole))
    await log.close()
    store.close()
    const [small, large] = [await run('verify', part, signer.vkey), await run('verify', whole, signer.vkey)]
    const perSecond = async (...words: readonly string[]) =>
      count / ((await run(...words)).milliseconds / 1000)
    const subject = {
      name: 'sallyport audit verify',
      run: () => perSecond('verify', whole, signer.vkey),
    }
    const bound = { subject, goal: 0.5, wants: 'at least', unit: 'entries/s' } as const
    return [
      {
        ...bound,
        row: `${count} entries offline`,
        against: { name: 'SHA-256 of the leaves and nodes', run: () => perSecond('hash-buffers', whole) },
      },
      {
        ...bound,
        row: '… digests as text, the fastest there are',
        against: { name: 'SHA-256 of the leaves and nodes', run: () => perSecond('hash-text', whole) },
      },
      {
        row: `memory for ${count} entries`,
        subject: fixed('the whole log', large.residentBytes / 1e6),
        against: fixed('a tenth of it', small.residentBytes / 1e6),
        goal: 1.1,
        unit: 'MB',
      },
    ]
  },
}

async function run(...words: readonly string[]): Promise<Verified> {
  const child = startPinned([process.execPath, program, ...words], { core: cores.server })
  const verified: Verified = JSON.parse(await child.line())
  await child.stop()
  return verified
}
