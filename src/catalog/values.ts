import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Place, ValueSource } from '../contract/index.ts'
import { Failure, Secret } from '../primitives/index.ts'

const source = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]) satisfies z.ZodType<ValueSource>

/** Resolves value sources of a contract: `{ env: NAME }` from this environment, `{ file: PATH }` without its last newline. */
export function createResolver(options: {
  readonly contractFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
}): (value: unknown, place: Place) => Secret {
  return (value, place) => {
    const where = `${options.contractFile}:${place.line}:${place.column}`
    const parsed = source.safeParse(value)
    if (!parsed.success) {
      throw new Failure(
        'contract_invalid',
        `${where}: a value comes from { env: NAME } or { file: PATH }, never from the contract itself.`,
      )
    }
    if ('env' in parsed.data) {
      const name = parsed.data.env
      const found = options.environment[name]
      if (found) return new Secret(found)
      throw new Failure('contract_invalid', `${where}: the environment variable ${name} is not set.`, {
        next: `set ${name} for the broker's process alone`,
      })
    }
    return readSecretFile(parsed.data.file, where)
  }
}

function readSecretFile(path: string, where: string): Secret {
  try {
    return new Secret(readFileSync(path, 'utf8').replace(/\r?\n$/, ''))
  } catch (cause) {
    throw new Failure('contract_invalid', `${where}: the file ${path} cannot be read.`, {
      cause,
      next: `make ${path} readable for the broker alone`,
    })
  }
}
