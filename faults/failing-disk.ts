import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** An ext4 whose blocks lie on something that has no more room: every write to a new block is an input or output error. */
export type FailingDisk = {
  /** Where it is mounted. */
  readonly folder: string
  fail(): void
  heal(): void
  /** As after a start of the machine: what was only in memory is forgotten. Whether it can be mounted again. */
  remount(): boolean
  close(): void
}

const [groundBytes, diskBytes] = [24 * 1024 * 1024, 64 * 1024 * 1024]

/** In a new folder; `undefined` where this machine cannot make or mount one. */
export function makeFailingDisk(place: string): FailingDisk | undefined {
  const [ground, folder] = [join(place, 'ground'), join(place, 'disk')]
  for (const path of [place, ground, folder]) mkdirSync(path, { mode: 0o700 })
  const file = join(ground, 'disk.img')
  const run = (program: string, ...words: string[]) => spawnSync(program, words).status === 0
  const mount = () => run('mount', '-o', 'loop', file, folder)
  const unmount = () => run('umount', folder)
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${groundBytes},mode=0700`, 'tmpfs', ground)) return undefined
  const disk: FailingDisk = {
    folder,
    fail: () => fill(join(ground, 'rest')),
    heal: () => rmSync(join(ground, 'rest'), { force: true }),
    remount: () => unmount() && mount(),
    close() {
      // Lazily: what a failed run left behind holds nobody up.
      for (const path of [folder, ground]) run('umount', '-l', path)
    },
  }
  writeFileSync(file, '')
  truncateSync(file, diskBytes)
  if (run('mkfs.ext4', '-q', '-F', file) && mount()) return disk
  disk.close()
  return undefined
}

/** Takes what room there is. */
function fill(file: string): void {
  for (const bytes of [1024 * 1024, 4096])
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' })
    } catch {
      // Full, in pieces of this size.
    }
}
