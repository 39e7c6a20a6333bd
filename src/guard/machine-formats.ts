import type { Checked, Finding } from './finding.ts'
import { originOf, type ReportOptions } from './format.ts'

/** A check as data; no field holds a character of a sensitive value. */
export function reportData({ mode, scope, findings }: Checked, options: ReportOptions) {
  return {
    ok: findings.length === 0,
    mode: mode ?? null,
    scope,
    contract: options.file,
    findings: findings.map((finding) => {
      const { secretPaths, line, ...rest } = finding
      const origin = originOf(finding, options)
      return {
        ...rest,
        secret_paths: secretPaths,
        ...(origin !== '' && { origin }),
        ...(line > 0 && { line }),
      }
    }),
  }
}

/** Workflow commands of GitHub Actions, a line for each finding. */
export function reportGithub({ findings }: Checked, options: ReportOptions): string {
  return findings
    .map((finding) => {
      const place = `file=${property(options.file)},line=${Math.max(finding.line, 1)}`
      return `::error ${place},title=${property(`${finding.code} ${finding.variable ?? 'mode'}`)}::${escaped(findingSentence(finding, options))}`
    })
    .join('\n')
}

/** A finding in one line. */
export function findingSentence(finding: Finding, options: ReportOptions): string {
  const { message, seen, expected, owner, secretPaths, fix } = finding
  const origin = originOf(finding, options)
  const parts = [
    ['Found', origin === '' ? seen : `${seen} (${origin})`],
    ['Expected', expected],
    ['Owner', owner],
    ['Secret', secretPaths[0]],
    ['Fix', fix],
  ]
  const told = parts.flatMap(([name, words]) => (words === undefined ? [] : [`${name}: ${words}.`]))
  return [message, ...told].join(' ')
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
