import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure, type RandomBytes, Secret } from '../../../primitives/index.ts'
import type { Database } from './database.ts'
import { tryLogin } from './login.ts'
import { name, text } from './quote.ts'
import { scramIterationsDefault, scramVerifier } from './scram.ts'

/**
 * Gives a role a new password and writes it to its file (mode 0600). `<file>.next` is durable before the database changes and becomes
 * `<file>` after: a crash between leaves both, one of them right, and the next rotation finds out which by logging in.
 */
export async function rotatePassword(
  database: Database,
  rotation: { role: string; file: string; random: RandomBytes },
  signal: AbortSignal,
): Promise<string> {
  const { role, file, random } = rotation
  await settle(database, rotation, signal)
  const password = newPassword(random)
  const verifier = await scramVerifier(password, { salt: random(16), iterations: scramIterationsDefault })
  await writeDurably(`${file}.next`, password)
  await database.transaction(signal, async (ask) => {
    await ask(`ALTER ROLE ${name(role)} PASSWORD ${text(verifier)}`)
  })
  await promote(file)
  return `the password of the role ${role}, new in ${file}; sessions that are open go on, the old password is refused`
}

/** 256 random bits in 43 characters of base64url: nothing that could be guessed, however few rounds its verifier has. */
export function newPassword(random: RandomBytes): Secret {
  return new Secret(Buffer.from(random(32)).toString('base64url'))
}

async function settle(
  database: Database,
  { role, file }: { role: string; file: string },
  signal: AbortSignal,
): Promise<void> {
  const password = await readFile(`${file}.next`, 'utf8').catch(() => undefined)
  if (password === undefined) return
  switch (await tryLogin(database.server, { user: role, password: new Secret(password) }, signal)) {
    case 'accepted':
      return promote(file)
    case 'refused':
      return rm(`${file}.next`, { force: true })
    case 'unknown':
      // Overwriting it now could destroy the only copy of the password that is valid.
      throw new Failure(
        'provider_unreachable',
        'An earlier rotation is not settled, and the database cannot tell.',
      )
  }
}

async function writeDurably(file: string, password: Secret): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(password.reveal())
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncFolder(file)
}

async function promote(file: string): Promise<void> {
  await rename(`${file}.next`, file)
  await syncFolder(file)
}

async function syncFolder(file: string): Promise<void> {
  const folder = await open(dirname(file), 'r')
  await folder.sync().finally(() => folder.close())
}
