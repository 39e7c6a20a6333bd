import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'

const noProc = existsSync('/proc/self/stat') ? false : 'there is no /proc to find processes in'

/** Puts up a process that goes at once, one that does not listen, one below it, a folder and, where it may, a mount; then works for ever. */
const program = `
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setStage } from ${JSON.stringify(join(import.meta.dirname, 'stage.ts'))}
setStage()
const folder = mkdtempSync(join(tmpdir(), 'of-a-fault-'))
mkdirSync(join(folder, 'disk'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, 'disk')]).status === 0
const polite = spawn('sleep', ['600'])
const deaf = spawn('sh', ['-c', 'trap "" INT TERM; sleep 600 & echo $!; wait; sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] })
deaf.stdout.once('data', (below) => console.log(JSON.stringify({ mounted, pids: [polite.pid, deaf.pid, Number(below)] })))
if (process.argv.at(-1) === 'ends') setTimeout(() => process.exit(3), 1000)
setInterval(() => undefined, 1000)
`

describe('what a run put up is taken down', { skip: noProc, timeout: 60_000 }, () => {
  const place = mkdtempSync(join(tmpdir(), 'sallyport-stage-'))
  after(() => rmSync(place, { recursive: true, force: true }))

  for (const [how, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['ends', 3],
  ] as const)
    test(how === 'ends' ? 'when it ends' : `after ${how}`, async () => {
      const words = ['--input-type=module', '--eval', program, '--', how]
      const child = spawn(process.execPath, words, {
        env: { ...process.env, TMPDIR: place },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const exited = once(child, 'exit')
      try {
        const [line] = await once(createInterface({ input: child.stdout }), 'line')
        const { pids }: { pids: readonly number[] } = JSON.parse(line)
        assert.equal(pids.filter(isThere).length, 3)
        if (how !== 'ends') child.kill(how)
        assert.deepEqual(await exited, [code, null])
        assert.deepEqual(pids.filter(isThere), [])
        assert.deepEqual(readdirSync(place), [])
        assert.ok(!spawnSync('cat', ['/proc/mounts'], { encoding: 'utf8' }).stdout.includes(place))
      } finally {
        child.kill('SIGKILL')
      }
    })
})

/** Whether it runs; one that has ended and that nobody asked how does not. */
function isThere(pid: number): boolean {
  const { stdout } = spawnSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' })
  return stdout !== '' && !/\) [ZX] /.test(stdout)
}
