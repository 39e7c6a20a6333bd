import type { Checked, Finding } from './finding.ts'
import type { ReportOptions } from './format.ts'

/** A check as data; no field holds a character of a sensitive value. */
export function reportData({ mode, scope, findings }: Checked, { file, origins }: ReportOptions) {
  return {
    ok: findings.length === 0,
    mode: mode ?? null,
    scope,
    contract: file,
    findings: findings.map(({ secretPaths, line, ...finding }) => ({
      ...finding,
      secret_paths: secretPaths,
      ...(finding.variable !== undefined &&
        finding.seen !== 'not set' && { origin: origins?.get(finding.variable) ?? 'shell' }),
      ...(line > 0 && { line }),
    })),
  }
}

/** Workflow commands of GitHub Actions, a line for each finding. */
export function reportGithub({ findings }: Checked, { file }: ReportOptions): string {
  return findings
    .map((finding) => {
      const place = `file=${property(file)},line=${Math.max(finding.line, 1)}`
      return `::error ${place},title=${property(`${finding.code} ${finding.variable ?? 'mode'}`)}::${escaped(findingSentence(finding))}`
    })
    .join('\n')
}

/** A finding in one line. */
export function findingSentence({ message, seen, expected, owner, fix }: Finding): string {
  return `${message} Found: ${seen}. Expected: ${expected}.${owner === undefined ? '' : ` Owner: ${owner}.`} Fix: ${fix}.`
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
