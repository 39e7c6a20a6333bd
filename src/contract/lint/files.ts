import type { Environment } from '../environment.ts'
import type { FilesThere, Found } from './finding.ts'

/** Files that a contract refers to and that are not there: of gates, and of its own `files`. */
export function lintFiles({ gates, files }: Environment, isThere: FilesThere): readonly Found[] {
  return [
    ...[...gates.values()].flatMap(({ id, reference, place }): readonly Found[] =>
      reference === undefined || isThere(reference)
        ? []
        : [
            {
              code: 'gate-reference-missing',
              message: `The gate ${id} refers to ${reference}, which is not there.`,
              place,
              next: 'write the path where it is now, or remove the gate with its feature',
            },
          ],
    ),
    ...[...files.values()]
      .filter(({ path }) => !isThere(path))
      .map(
        ({ path, place }): Found => ({
          code: 'file-missing',
          message: `${path} is not there.`,
          place,
          next: 'make it, or remove it from `files`',
        }),
      ),
  ]
}
