import { sarifLog } from '../contract/index.ts'
import {
  type Checked,
  findingCodes,
  findingSentence,
  type ReportOptions,
  reportData,
  reportGithub,
} from '../guard/index.ts'
import type { CheckFormat } from './check.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Tells a check to a machine. */
export function tellChecked(
  io: Terminal,
  format: Exclude<CheckFormat, 'text'>,
  checked: Checked,
  report: ReportOptions,
): void {
  switch (format) {
    case 'json':
      io.data(reportData(checked, report))
      return
    case 'sarif':
      io.data(sarifOf(checked, report))
      return
    case 'github':
      if (checked.findings.length > 0) io.out(reportGithub(checked, report))
  }
}

/** SARIF 2.1.0: findings stand at their line of the contract. */
function sarifOf({ findings }: Checked, options: ReportOptions) {
  return sarifLog({
    version,
    rules: Object.entries(findingCodes).map(([id, text]) => ({ id, level: 'error', text })),
    results: findings.map((finding) => ({
      ruleId: finding.code,
      level: 'error',
      message: findingSentence(finding, options),
      file: options.file,
      ...(finding.line > 0 && { place: { line: finding.line, column: 1 } }),
    })),
  })
}
