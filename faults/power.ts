import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { assemble } from '../src/catalog/index.ts'
import { agents, makeSite, type Serving, type Site } from '../test/end-to-end/site.ts'
import { type Acknowledged, checkAftermath } from './aftermath.ts'
import { apiContract } from './contract.ts'
import { type Fault, type Row, type Skipped, unlessAny } from './harness.ts'
import { nobodyTold, placeOf } from './in-process.ts'

const cuts = { short: 4, long: 16 } as const
const fault = 'power'
const diskBytes = 64 * 1024 * 1024
const loadMsMax = 1_500

/**
 * A power cut: the data is on an ext4 in a file; the broker is stopped in the midst of its work, the file as it is then (what was flushed)
 * is copied, and the copy is mounted, which replays its journal. What only lay in memory is gone.
 */
export const power: Fault = {
  name: 'power',
  title: 'power cuts: only what was flushed to the disk is still there',
  async run({ length, progress }) {
    const row = { fault, what: 'power cut under load', injected: 0, lost: [], told: '' }
    const lost: string[] = []
    let acknowledgedTotal = 0
    for (let nth = 0; nth < cuts[length]; nth += 1) {
      progress(`${nth} of ${cuts[length]}`)
      const site = await makeSite(apiContract('jwt'))
      try {
        const came = await cutOnce(site)
        if ('skipped' in came) return [came] satisfies Skipped[]
        lost.push(...came.lost, ...unlessAny(came.acknowledged, 'issuance was acknowledged before the cut'))
        acknowledgedTotal += came.acknowledged
      } finally {
        await site.close()
      }
    }
    const told = `${acknowledgedTotal} acknowledged`
    return [{ ...row, injected: cuts[length], lost, told }] satisfies Row[]
  },
}

async function cutOnce(site: Site): Promise<{ lost: readonly string[]; acknowledged: number } | Skipped> {
  const [disk, copy] = [site.path('disk.img'), site.path('copy.img')]
  if (!makeDisk(disk)) return { fault, skipped: 'this machine has no mkfs.ext4' }
  if (!mount(disk, site.path('disk'))) return { fault, skipped: 'this machine cannot mount a file as a disk' }
  try {
    const acknowledged = nobodyTold()
    const serving = await site.serve({
      words: ['--data', site.path('disk/data'), '--agent-rate', '100000', '--tenant-rate', '100000'],
    })
    const load = agents.map((agent) => issueUntilGone(serving, agent, acknowledged))
    await pause(100 + Math.random() * loadMsMax)
    serving.child.kill('SIGSTOP')
    // What was sent before the stop may still be on its way; all of it was acknowledged.
    await pause(50)
    copyFileSync(disk, copy)
    await serving.kill()
    await Promise.all(load)
    if (!mount(copy, site.path('copy')))
      return { acknowledged: acknowledged.issued.length, lost: ['the disk cannot be mounted any more'] }
    const place = { ...placeOf(site), dataFolder: site.path('copy/data') }
    const assembled = await assemble(place)
    try {
      return { lost: await checkAftermath(assembled, acknowledged), acknowledged: acknowledged.issued.length }
    } finally {
      await assembled.close()
    }
  } finally {
    for (const name of ['disk', 'copy']) spawnSync('umount', ['-l', site.path(name)])
    for (const file of [disk, copy]) rmSync(file, { force: true })
  }
}

function makeDisk(file: string): boolean {
  writeFileSync(file, '')
  truncateSync(file, diskBytes)
  return spawnSync('mkfs.ext4', ['-q', '-F', file]).status === 0
}

function mount(file: string, target: string): boolean {
  mkdirSync(target, { mode: 0o700 })
  return spawnSync('mount', ['-o', 'loop', file, target]).status === 0
}

async function issueUntilGone(serving: Serving, agent: string, acknowledged: Acknowledged): Promise<void> {
  const client = serving.client(agent)
  const wanted = { service: 'orders-api', action: 'read-order', resource: 'order-7' }
  try {
    for (;;) {
      const answer = await client.request(wanted)
      if (answer.kind === 'issued')
        acknowledged.issued.push({ leaseId: answer.lease_id, receipt: answer.receipt })
    }
  } catch {
    // The broker is gone: this caller is told nothing more.
  } finally {
    client.close()
  }
}
