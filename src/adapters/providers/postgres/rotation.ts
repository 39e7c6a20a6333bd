import type { Provider } from '../../../broker/index.ts'
import { Failure, type RandomBytes, Secret } from '../../../primitives/index.ts'
import type { Database } from './database.ts'
import { keepNext, layNext, promote, readNext } from './password-file.ts'
import { name, text } from './quote.ts'
import { scramIterationsDefault, scramVerifier } from './scram.ts'

/** Rotations of one provider come one after another: what one leaves on the disk is where the next one begins. */
export function createRotate(
  database: Database,
  { rotates, random }: { rotates: ReadonlyMap<string, string>; random: RandomBytes },
): Provider['rotate'] {
  let turn: Promise<unknown> = Promise.resolve()
  return async (role, signal) => {
    const file = rotates.get(role)
    if (file === undefined)
      throw new Failure('rotation_unsupported', 'The contract names no such role under `rotates`.')
    const mine = turn.then(() => rotatePassword(database, { role, file, random }, signal))
    turn = mine.catch(() => undefined)
    return mine
  }
}

/** 256 random bits in 43 characters of base64url: nothing that could be guessed, however few rounds its verifier has. */
export function newPassword(random: RandomBytes): Secret {
  return new Secret(Buffer.from(random(32)).toString('base64url'))
}

/**
 * Gives a role a new password and writes it to its file (mode 0600). `<file>.next` is durable before the database changes and becomes
 * `<file>` after: a crash between leaves both, one of them right. Which one no login could tell for certain, so the next rotation throws
 * none away: what it finds in `<file>.next` becomes the password and the file, and a new one follows.
 */
async function rotatePassword(
  database: Database,
  { role, file, random }: { role: string; file: string; random: RandomBytes },
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  const change = async (password: Secret, prepare: () => Promise<void>) => {
    const verifier = await scramVerifier(password, { salt: random(16), iterations: scramIterationsDefault })
    const altered = (work: () => Promise<void>) =>
      database.transaction(signal, async (ask) => {
        // Until the transaction is over nobody else can alter this role: so it is the lock for the files too, among all processes.
        await ask(`ALTER ROLE ${name(role)} PASSWORD ${text(verifier)}`)
        await work()
      })
    await altered(prepare)
    await altered(() => promote(file, password))
  }
  const left = await readNext(file)
  if (left) await change(left, () => keepNext(file, left))
  const password = newPassword(random)
  await change(password, () => layNext(file, password))
  return `the password of the role ${role}, new in ${file}; sessions that are open go on, the old password is refused`
}
