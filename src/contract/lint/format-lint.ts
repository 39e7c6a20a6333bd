import type { Contract } from '../contract.ts'
import { printable } from '../problem.ts'
import type { LintFinding, LintLevel } from './finding.ts'

/** Findings for a person: `file:line:column  level  message (code)` and the next step, then how many there are. */
export function formatLint(findings: readonly LintFinding[], { file }: Pick<Contract, 'file'>): string {
  const blocks = findings.map(({ code, level, message, next, place }) =>
    printableLines([
      `${file}:${place.line}:${place.column}  ${level}  ${message} (${code})`,
      `  Next: ${next}`,
    ]),
  )
  return `${[...blocks, summary(findings, file)].join('\n')}\n`
}

function printableLines(lines: readonly string[]): string {
  return lines.map(printable).join('\n')
}

function summary(findings: readonly LintFinding[], file: string): string {
  if (findings.length === 0) return `Nothing in ${file} contradicts itself.`
  const count = (level: LintLevel) => {
    const found = findings.filter((finding) => finding.level === level).length
    return `${found} ${level}${found === 1 ? '' : 's'}`
  }
  return `${count('error')}, ${count('warning')}, ${count('note')} in ${file}.`
}
