import { closeSync, openSync, readSync } from 'node:fs'
import { requireContract, resolveMode } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { checkAdapterRequestText, requestCharactersMax } from '../references/index.ts'
import { readContractFile } from './contract-file.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal } from './terminal.ts'

export type ValidateOptions = {
  readonly adapter: string
  readonly contract: string
  /** Absent, that of this environment. */
  readonly mode?: string
}

/** `sallyport validate`: 0 for a request that its adapter may take, 3 with every problem of one that it may not. */
export function validate(io: Terminal, file: string, options: ValidateOptions): number {
  const contract = requireContract(readContractFile(options.contract))
  const mode = options.mode ?? resolveMode(contract, process.env).name
  const checked = checkAdapterRequestText({
    contract,
    mode,
    adapter: options.adapter,
    text: requestText(file),
  })
  const about = { file, adapter: options.adapter, mode }
  if (checked.kind === 'accepted') {
    const { authMode, credentialRef } = checked
    if (io.json)
      io.data({
        ok: true,
        ...about,
        auth_mode: authMode,
        credential_ref: credentialRef ?? null,
        problems: [],
      })
    else io.out(`${paint('green', 'ok')}  ${file} for ${options.adapter} in ${mode}, auth mode ${authMode}`)
    return exitCodes.ok[0]
  }
  const { problems } = checked
  if (io.json) io.data({ ok: false, ...about, problems })
  else {
    for (const { code, path, message, next } of problems)
      io.out(`${paint('red', 'no')}  ${path}: ${message} (${code})\n    Next: ${next}`)
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
    io.out(`${count} in ${file} for ${options.adapter} in ${mode}.`)
  }
  return exitCodes.denied[0]
}

/** No more of it than tells that it is too long: a character of JSON has at most three bytes for each of its UTF-16. Throws `option_invalid`. */
function requestText(file: string): string {
  try {
    const descriptor = openSync(file, 'r')
    try {
      return readUpTo(descriptor, 4 * requestCharactersMax)
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    throw new Failure('option_invalid', `The request ${file} cannot be read.`, {
      cause,
      next: 'name a file that is there',
    })
  }
}

function readUpTo(descriptor: number, bytesMax: number): string {
  const bytes = Buffer.alloc(bytesMax)
  let length = 0
  for (let read = -1; read !== 0 && length < bytesMax; length += read)
    read = readSync(descriptor, bytes, length, bytesMax - length, null)
  return bytes.toString('utf8', 0, length)
}
