import type { ContractProblem, Place } from './contract.ts'

/** Takes one problem: where, what is wrong, and the one change that mends it. */
export type Report = (place: Place, message: string, next: string) => void

/** Collects problems; `sorted` gives them in the order of the file, each once. */
export function collectProblems(): { report: Report; sorted: () => readonly ContractProblem[] } {
  const found = new Map<string, ContractProblem>()
  return {
    report: (place, message, next) =>
      found.set(`${place.line}:${place.column}:${message}`, {
        message: printable(message),
        place,
        next: printable(next),
      }),
    sorted: () =>
      [...found.values()].sort(
        (left, right) => left.place.line - right.place.line || left.place.column - right.place.column,
      ),
  }
}

/** Every character that a terminal could act on becomes one that it prints, so that columns stay. Names in a file can hold anything. */
export function printable(text: string): string {
  return text
    .replace(/\t/g, ' ')
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffd]/gu,
      '?',
    )
}

/** Text in quotes for a message: on one line, without control characters, at most some sixty characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
