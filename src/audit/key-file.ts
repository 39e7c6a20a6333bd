import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Secret } from '../primitives/index.ts'

/**
 * Writes a new file that its owner alone can read: whole or not at all, whatever happens to the machine, and never in the place of one
 * that is there. Throws what the system says, `EEXIST` in that case.
 */
export function createPrivateFile(path: string, text: Secret): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`
  try {
    writeDraft(draft, text)
    linkSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(dirname(path))
}

function writeDraft(draft: string, text: Secret): void {
  const file = openSync(draft, 'wx', 0o600)
  try {
    fchmodSync(file, 0o600)
    writeFileSync(file, text.reveal())
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes durable what was made, linked or renamed in that folder. */
export function syncFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
