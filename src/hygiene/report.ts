import { sarifLog } from '../contract/index.ts'
import { type HygieneCode, type HygieneFinding, hygieneCodes, severityLevel } from './finding.ts'

/** For people: the worst first is not needed, they stand in the order of files. */
export function formatHygiene(
  findings: readonly HygieneFinding[],
  paint: (style: 'bold' | 'red' | 'yellow' | 'gray', text: string) => string,
): string {
  return findings
    .map(({ id, code, severity, message, reason, file, line, next }) => {
      const level = severityLevel(severity)
      const style = level === 'error' ? 'red' : level === 'warning' ? 'yellow' : 'gray'
      return [
        `${oneLine(file)}:${line}  ${paint(style, severity.replaceAll('-', ' '))}  ${oneLine(message)}`,
        ...(reason === undefined ? [] : [`  Why: ${reason}.`]),
        `  Next: ${next}. ${paint('gray', `(${code} ${id})`)}`,
      ].join('\n')
    })
    .join('\n')
}

/** A name with a line end could be read as a line of its own, such as a workflow command. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd')
}

/** As data. */
export function hygieneData(findings: readonly HygieneFinding[], notTried: readonly string[]) {
  return { ok: findings.length === 0, findings, not_tried: notTried }
}

/** SARIF 2.1.0; each rule has the level of its code's usual finding, each result that of its severity. */
export function hygieneSarif(
  findings: readonly HygieneFinding[],
  { version, notTried }: { version: string; notTried: readonly string[] },
) {
  return sarifLog({
    version,
    notes: notTried.map((line) => `Not tried: ${line}`),
    rules: Object.entries(hygieneCodes).map(([id, text]) => ({ id, level: 'error', text })),
    results: findings.map(({ code, severity, message, reason, file, line }) => ({
      ruleId: code satisfies HygieneCode,
      level: severityLevel(severity),
      message: `${message} Severity: ${severity}.${reason === undefined ? '' : ` Why: ${reason}.`}`,
      file,
      place: { line, column: 1 },
    })),
  })
}

/** Workflow commands of GitHub Actions, a line for each finding and for what was not tried. */
export function hygieneGithub(findings: readonly HygieneFinding[], notTried: readonly string[]): string {
  const told = findings.map(({ code, severity, message, reason, file, line, next }) => {
    const level = { error: 'error', warning: 'warning', note: 'notice' }[severityLevel(severity)]
    const words = `${message}${reason === undefined ? '' : ` ${reason}.`} Next: ${next}`
    return `::${level} file=${property(file)},line=${line},title=${property(`${code} ${severity}`)}::${escaped(words)}`
  })
  return [...told, ...notTried.map((line) => `::notice title=not tried::${escaped(line)}`)].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
