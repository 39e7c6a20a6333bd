import { Failure } from '../primitives/index.ts'

/** What the system said of a file that an option names, as `option_invalid` with its reason; everything else as it is. */
export function fileFailure(thrown: unknown, file: string, doing: 'read' | 'written'): unknown {
  // Node writes `ENOSPC: no space left on device, write` of a file, and `read ECONNRESET` of a connection.
  const reason = thrown instanceof Error ? /^E[A-Z0-9]+: [^,]+/.exec(thrown.message)?.[0] : undefined
  if (reason === undefined) return thrown
  return new Failure('option_invalid', `The file ${file} cannot be ${doing} (${reason}).`, { cause: thrown })
}
