import type { Checked, Finding } from './finding.ts'

/** Where values came from, by variable: `shell`, `.env:3`, `shell, over .env:3`. Absent is the shell. */
export type Origins = ReadonlyMap<string, string>

export type ReportOptions = {
  /** The contract, as it was given. */
  readonly file: string
  readonly discriminators: readonly string[]
  readonly origins?: Origins
  /** Colours a word; absent is none. */
  readonly paint?: (style: 'red' | 'green' | 'bold' | 'gray', text: string) => string
}

/** A check for people: every problem with its owner, secret path, origin and the one change that mends it. */
export function formatReport(checked: Checked, options: ReportOptions): string {
  const { findings, mode, scope } = checked
  const paint = options.paint ?? ((_, text) => text)
  const where = `mode ${mode ?? '(none)'} · scope ${scope} · ${options.file}`
  if (findings.length === 0) return `${paint('green', 'ok')} ${where}`
  const count = findings.length === 1 ? '1 problem' : `${findings.length} problems`
  const blocks = findings.map((finding) => blockOf(finding, options, paint))
  return [
    ...blocks,
    `${paint('bold', count)} · ${where}\nNothing was started, and nothing was guessed.`,
  ].join('\n\n')
}

function blockOf(
  finding: Finding,
  options: ReportOptions,
  paint: NonNullable<ReportOptions['paint']>,
): string {
  const { code, variable, message, owner, expected, seen, fix, secretPaths, line } = finding
  const [path, ...others] = secretPaths
  const origin = originOf(finding, options)
  const rows: readonly (readonly [string, string])[] = [
    ['found', variable === undefined || origin === '' ? seen : `${seen} ← ${origin}`],
    ['from', variable === undefined ? origin : ''],
    ['expected', expected],
    ['owner', owner ?? ''],
    ['secret', path === undefined ? '' : `${path}${others.length > 0 ? `, else ${others.join(', ')}` : ''}`],
    ['contract', line > 0 ? `${options.file}:${line}` : ''],
    ['fix', fix],
  ]
  const shown = rows.filter(([, words]) => words !== '').map(([name, words]) => rowOf(name, words, paint))
  return [`${paint('red', `error[${code}]`)} ${paint('bold', message)}`, ...shown].join('\n')
}

/** Where what was found came from, for a tuple each part of it; empty where nothing was found. */
export function originOf(
  { code, variable, seen }: Finding,
  { origins, discriminators }: Pick<ReportOptions, 'origins' | 'discriminators'>,
): string {
  const from = (name: string) => origins?.get(name) ?? 'shell'
  if (variable !== undefined) return seen === 'not set' ? '' : from(variable)
  const given = discriminators.filter((name) => !seen.includes(`${name}=(not set)`))
  return code === 'E101' ? given.map((name) => `${name} ← ${from(name)}`).join(', ') : ''
}

function rowOf(name: string, words: string, paint: NonNullable<ReportOptions['paint']>): string {
  return `  ${paint('gray', name.padEnd(9))} ${name === 'fix' ? paint('bold', words) : words}`
}
