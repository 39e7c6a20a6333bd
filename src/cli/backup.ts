import { createHash, randomBytes } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type WriteStream,
} from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parseVerifier } from '../audit/index.ts'
import { checkBackup, restoreBackup } from '../catalog/index.ts'
import { Failure } from '../primitives/index.ts'
import { type ConnectionOptions, knownLogKey, namedLogKey, withBroker } from './connection.ts'
import { fileFailure } from './file-failure.ts'
import { pathWord } from './path-word.ts'
import type { Terminal } from './terminal.ts'

/** `sallyport backup FILE`: a copy of the store of a running broker. The file appears when its log is checked, or not at all. */
export function backup(
  io: Terminal,
  file: string,
  options: ConnectionOptions & { readonly logKey?: string },
): Promise<number> {
  return withBroker({ ...options, as: options.as ?? 'person' }, async (client) => {
    const vkey = pinned(knownLogKey(options, process.env))
    parseVerifier(vkey)
    // Before it is asked for: a copy that has nowhere to go must not leave the broker.
    const { place, part, target } = openPart(file)
    try {
      await pipeline(await client.backup(), target)
      const { checkpoint } = await checkBackup(part, vkey)
      const { origin, size } = checkpoint
      const sha256 = await digestOf(part)
      renameSync(part, place)
      if (io.json) io.data({ file, origin, entries: size, sha256 })
      else io.out(`${file}: ${size} entries of ${origin}, sha256 ${sha256}`)
      io.say(`Next: sallyport restore ${pathWord(file)} --data NEW-FOLDER --log-key '${vkey}'`)
      return 0
    } catch (thrown) {
      throw fileFailure(thrown, file, 'written')
    } finally {
      target.destroy()
      rmSync(part, { force: true })
    }
  })
}

type Part = { readonly place: string; readonly part: string; readonly target: WriteStream }

/** A draft of its own beside the place of the file: of two backups at once each writes and checks what it was sent. */
function openPart(file: string): Part {
  try {
    const place = placeOf(file)
    const part = `${place}.${randomBytes(4).toString('hex')}.part`
    return { place, part, target: createWriteStream(part, { fd: openSync(part, 'wx', 0o600), flush: true }) }
  } catch (thrown) {
    throw fileFailure(thrown, file, 'written')
  }
}

/** Where a link leads, its file is replaced. Throws `option_invalid` for a folder, a device, a pipe, and a link that leads nowhere. */
function placeOf(file: string): string {
  if (file !== '' && lstatSync(file, { throwIfNoEntry: false }) === undefined) return file
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return realpathSync(file)
  throw new Failure('option_invalid', `A backup is a file, and '${file}' is none.`, {
    next: 'sallyport backup FILE',
  })
}

export type RestoreCommandOptions = {
  readonly data: string
  /** Absent is `SALLYPORT_LOG_KEY`. */
  readonly logKey?: string
  readonly epoch?: number
}

/** `sallyport restore FILE`: makes the data folder of a broker, whose log begins a new epoch. */
export async function restore(io: Terminal, file: string, options: RestoreCommandOptions): Promise<number> {
  const { data, epoch } = options
  const number = epoch === undefined ? {} : { epoch }
  // No development broker is asked: which log the backup is of, whoever restores it says.
  const pin = pinned(namedLogKey(options, process.env))
  const restored = await restoreBackup({ backupFile: file, dataFolder: data, vkey: pin, ...number })
  const { from, origin, vkey, leasesEnding } = restored
  if (io.json) io.data({ data, ...restored })
  else
    io.out(`${data}: ${from.entries} entries of ${from.origin}, which goes on as ${origin}\nlog_key ${vkey}`)
  io.say(`${leasesEnding} leases were open in the backup; the broker ends them when it starts.`)
  io.say('What came after the backup is lost. Every witness, and everybody who verifies, needs the new key.')
  io.say(`Next: sallyport serve --contract CONTRACT --data ${pathWord(data)}`)
  return 0
}

function pinned(vkey: string | undefined): string {
  if (vkey !== undefined) return vkey
  const message = 'The key of the log must be pinned, so that the backup can be checked.'
  throw new Failure('option_invalid', message, {
    next: 'give --log-key VKEY; the broker prints it when it starts',
  })
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
