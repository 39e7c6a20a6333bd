import { type Contract, type Prohibition, requireEnvironment } from '../contract/index.ts'
import { lineCounter, syntaxOf, withoutComments } from './code-text.ts'
import { finding, type HygieneFinding } from './finding.ts'
import { findGates } from './gate-detector.ts'
import { findGuesses } from './guess-detector.ts'
import { pathMatches } from './path-pattern.ts'

/** A file below the folder that is searched; all of it is attacker-controlled. */
export type SourceFile = { readonly path: string; readonly text: string }

/** Longer files are generated ones, and longer lines too. */
export const sourceCharactersMax = 1024 * 1024
export const lineCharactersMax = 2000

/** Whether a file of this name is read at all. */
export function isScanned(contract: Contract, path: string): boolean {
  return (
    syntaxOf(path) !== undefined ||
    sourceDetectors(contract).some(({ files }) => files?.some((pattern) => pathMatches(pattern, path)))
  )
}

/** Forbidden patterns, guessed defaults and gates that the contract does not list, in the code of a file and not in its comments. */
export function findInSource(contract: Contract, { path, text }: SourceFile): readonly HygieneFinding[] {
  const syntax = syntaxOf(path) ?? 'plain'
  const code = withoutComments(text.slice(0, sourceCharactersMax), syntax)
    .split('\n')
    .map((line) => (line.length > lineCharactersMax ? '' : line))
    .join('\n')
  const source = { path, code, lineOf: lineCounter(code), lines: code.split('\n') }
  return [
    ...findProhibited(contract, source),
    ...findGuesses(contract, source),
    ...findGates(contract, source),
  ]
}

/** The code of a file: comments are blank, and every line stands at its number. */
export type Code = {
  readonly path: string
  readonly code: string
  readonly lines: readonly string[]
  readonly lineOf: (offset: number) => number
}

function findProhibited(contract: Contract, { path, lines }: Code): readonly HygieneFinding[] {
  return sourceDetectors(contract)
    .filter(
      ({ files }) => files?.some((pattern) => pathMatches(pattern, path)) ?? syntaxOf(path) !== undefined,
    )
    .flatMap(({ pattern, prohibition }) => {
      const expression = new RegExp(pattern, 'u')
      return lines.flatMap((line, at) =>
        expression.test(line) ? [prohibited(prohibition, { path, line, number: at + 1 })] : [],
      )
    })
}

function sourceDetectors(contract: Contract) {
  return [...requireEnvironment(contract).prohibitions.values()].flatMap((prohibition) =>
    prohibition.detectors.flatMap((detector) =>
      detector.kind === 'source' ? [{ ...detector, prohibition }] : [],
    ),
  )
}

function prohibited(
  { id, reason, severity }: Prohibition,
  { path, line, number }: { path: string; line: string; number: number },
): HygieneFinding {
  return finding(
    {
      code: 'prohibited-source',
      severity,
      message: `This line is what ${id} forbids everywhere.`,
      reason,
      prohibition: id,
      file: path,
      line: number,
      next: 'take it out; where it is none, accept it in the baseline with the reason',
    },
    line,
  )
}
