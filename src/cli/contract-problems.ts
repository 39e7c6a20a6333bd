import { readFileSync } from 'node:fs'
import { ContractInvalid, formatProblems } from '../contract/index.ts'
import type { Failure } from '../primitives/index.ts'
import { exitCodes } from './exit-code.ts'
import { type Terminal, tell } from './terminal.ts'

/** Tells every problem of a contract: for people each with its line and a caret under the place, else as a list. */
export function tellContract(io: Terminal, failure: Failure): number {
  if (!(failure instanceof ContractInvalid)) return tell(io, failure)
  const { code, file } = failure
  const message = `${file} is not valid.`
  if (io.json) io.data({ error: { code, message, problems: problemList(failure) } })
  else io.say(problemText(failure))
  return exitCodes.contract[0]
}

/** `file:line:column  message`, the line and a caret for each, and how many there are. */
export function problemText({ file, problems }: ContractInvalid): string {
  return formatProblems(problems, { file, text: readAgain(file) }).trimEnd()
}

/** The same as data. */
export function problemList({ file, problems }: ContractInvalid) {
  return problems.map(({ message, place, next }) => ({
    file,
    line: place.line,
    column: place.column,
    message,
    ...(next === undefined ? {} : { next }),
  }))
}

/** Only shown; without it the problems still have their place. */
function readAgain(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
