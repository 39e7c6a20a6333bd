import { readFileSync, statSync } from 'node:fs'
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

/** Throws `option_invalid`; nothing of the file stands in the message. */
function requestText(file: string): string {
  try {
    // A character of JSON has at most four bytes.
    if (statSync(file).size <= 4 * requestCharactersMax) return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure('option_invalid', `The request ${file} cannot be read.`, {
      cause,
      next: 'name a file that is there',
    })
  }
  throw new Failure('option_invalid', `The request ${file} is larger than 4 MiB.`)
}
