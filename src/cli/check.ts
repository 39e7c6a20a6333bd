import { existsSync } from 'node:fs'
import {
  type Checked,
  type Finding,
  formatReport,
  type Guard,
  type ReportOptions,
  reportData,
  scopeOf,
} from '../guard/index.ts'
import { collectVariables } from './env-file.ts'
import { exitCodes } from './exit-code.ts'
import { type GuardSource, openGuard } from './guard-file.ts'
import { paint, type Terminal } from './terminal.ts'

export const checkFormats = ['text', 'json', 'sarif', 'github'] as const

export type CheckFormat = (typeof checkFormats)[number]

export type CheckCommandOptions = GuardSource & {
  readonly scope?: string
  /** Files of variables; `{mode}` stands for the mode in lower case. */
  readonly env?: readonly string[]
  readonly format?: CheckFormat
}

/** `sallyport check [-- COMMAND]`: 0, or 78 with every problem. Nothing is started, the command only says which scope it has. */
export async function checkCommand(
  io: Terminal,
  command: readonly string[],
  options: CheckCommandOptions,
): Promise<number> {
  const { checked, report } = await checkEnvironment(command, options)
  const format = options.format ?? (io.json ? 'json' : 'text')
  if (format === 'text')
    io.out(formatReport(checked, { ...report, paint: (style, text) => paint(style, text) }))
  else await (await import('./check-format.ts')).tellChecked(io, format, checked, report)
  return exitCodes[checked.findings.length === 0 ? 'ok' : 'environment'][0]
}

/** Tells why nothing is started, and gives the exit code; `undefined` when there is no reason. */
export function tellRefusal(io: Terminal, { checked, report }: CheckedEnvironment): number | undefined {
  if (checked.findings.length === 0) return undefined
  if (io.json) io.data(reportData(checked, report))
  else
    io.say(formatReport(checked, { ...report, paint: (style, text) => paint(style, text, process.stderr) }))
  return exitCodes.environment[0]
}

export type CheckedEnvironment = {
  readonly guard: Guard
  readonly checked: Checked
  readonly report: ReportOptions
  /** The variables of the shell and of the files, with the launcher's own. */
  readonly env: Readonly<Record<string, string>>
}

/** Checks the environment of this process and of the files that are named, as the launcher of the command sees it. */
export async function checkEnvironment(
  command: readonly string[],
  options: CheckCommandOptions,
): Promise<CheckedEnvironment> {
  const { guard, file, stale } = await openGuard(options)
  const { contract } = guard
  const fromShell = contract.modes.find(({ match }) =>
    contract.discriminators.every((name) => process.env[name] === match[name]),
  )
  const { env, origins, missing } = collectVariables(process.env, options.env ?? [], fromShell?.name)
  const { scope, belongs } = scopeOf(contract, command, options.scope)
  const checked = guard.check(env, { scope, seenBy: 'launcher' })
  const findings = [
    ...stale,
    ...missing.map(missingFile),
    ...(belongs ? [foreignCommand(belongs, scope)] : []),
    ...checked.findings,
  ]
  const report = { file, discriminators: contract.discriminators, origins }
  return { guard, checked: { ...checked, findings }, report, env }
}

function missingFile(file: string): Finding {
  return {
    code: 'E104',
    secretPaths: [],
    message: `${file} cannot be read.`,
    expected: 'a file of variables in UTF-8, of at most 1 MiB',
    seen: existsSync(file) ? 'no text that can be read' : 'no such file',
    fix: /\{mode\}/.test(file)
      ? 'set the discriminators in the shell, which give {mode}'
      : 'make it such a file, or do not name it',
    line: 0,
  }
}

function foreignCommand(
  belongs: { readonly scope: string; readonly pattern: string },
  scope: string,
): Finding {
  return {
    code: 'E102',
    secretPaths: [],
    message: `A command like \`${belongs.pattern}\` has the scope ${belongs.scope}.`,
    expected: belongs.scope,
    seen: scope,
    fix: `leave --scope out, or say ${belongs.scope}`,
    line: 0,
  }
}
