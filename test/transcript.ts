import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * A transcript is what a terminal shows: lines `$ command`, each followed by what it prints (output and errors as they come).
 * - `[exit 3]` as the last line of an output is the exit code; without it the code is 0.
 * - `...` as a line stands for any lines, none too.
 * - `<lease>`, `<time>` and the other words of `placeholders`, also numbered (`<lease-2>`), stand for a text of that shape. The first
 *   time it is learnt; afterwards, in outputs and in commands, it is that text. Other words between angle brackets are themselves.
 * - Lines before the first command, and lines that start with `#` before a command, are remarks.
 */
export type Step = {
  readonly command: string
  readonly line: number
  readonly expected: string
  readonly exit: number
}

/** What each placeholder may stand for. */
export const placeholders: Readonly<Record<string, string>> = {
  id: '[a-z]+_[0-9a-hjkmnp-tv-z]{26}',
  lease: '[a-z]+_[0-9a-hjkmnp-tv-z]{26}',
  request: '[0-9a-f]{32}|[a-z]+_[0-9a-hjkmnp-tv-z]{26}',
  time: String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`,
  duration: String.raw`\d+(?:\.\d+)? ?(?:ms|s|m|h|d)`,
  digest: '(?:sha256:)?[0-9a-f]{64}',
  number: String.raw`\d+`,
  port: String.raw`\d{2,5}`,
  path: String.raw`/[\w./+@-]+`,
  version: String.raw`\d+\.\d+\.\d+(?:-[\w.]+)?`,
  token: String.raw`[\w.~+/=-]{16,}`,
  word: String.raw`\S+`,
}

/**
 * Runs the commands of a transcript one after the other in a shell, in that folder and with that environment alone. Rejects with an
 * `Error` that shows both texts at the first command that prints something else or leaves another exit code.
 */
export async function runTranscript(
  text: string,
  world: { folder: string; env: Readonly<Record<string, string>>; stepSecondsMax?: number },
): Promise<{ commands: number }> {
  const learnt = new Map<string, string>()
  const steps = parseTranscript(text)
  if (steps.length === 0) throw new Error('The transcript has no command.')
  for (const step of steps) {
    const seen = await execute(fill(step.command, learnt), world)
    if (!fits(step, seen.output, learnt) || seen.exit !== step.exit) throw new Error(difference(step, seen))
  }
  return { commands: steps.length }
}

export function parseTranscript(text: string): readonly Step[] {
  const steps: { command: string; line: number; lines: string[] }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), line: index + 1, lines: [] })
    else steps.at(-1)?.lines.push(line)
  }
  return steps.map(({ command, line, lines }) => {
    while (/^\s*(?:#.*)?$/.test(lines.at(-1) ?? 'end')) lines.pop()
    const exit = /^\[exit (\d+)\]$/.exec(lines.at(-1) ?? '')?.[1]
    if (exit !== undefined) lines.pop()
    return { command, line, expected: lines.join('\n'), exit: Number(exit ?? 0) }
  })
}

type Seen = { readonly output: string; readonly exit: number }

async function execute(command: string, world: Parameters<typeof runTranscript>[1]): Promise<Seen> {
  const shell = spawn('sh', ['-c', `{ ${command}\n} 2>&1`], {
    cwd: world.folder,
    env: { ...world.env },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: (world.stepSecondsMax ?? 60) * 1000,
  })
  let output = ''
  shell.stdout.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
  })
  const [exit, signal]: unknown[] = await once(shell, 'close')
  if (typeof exit !== 'number') output += `\n(ended by ${String(signal)})`
  return { output: output.trimEnd(), exit: typeof exit === 'number' ? exit : 255 }
}

const placeholder = new RegExp(`<((?:${Object.keys(placeholders).join('|')})(?:-\\d+)?)>`, 'g')

function fill(command: string, learnt: ReadonlyMap<string, string>): string {
  return command.replace(placeholder, (all, name: string) => {
    const value = learnt.get(name)
    if (value === undefined)
      throw new Error(`The command "${command}" needs ${all}, which no output has shown yet.`)
    return value
  })
}

/** Compares and, when it fits, learns what the new placeholders stand for. */
function fits(step: Step, output: string, learnt: Map<string, string>): boolean {
  const groups: string[] = []
  const lines = step.expected === '' ? [] : step.expected.split('\n')
  const source = lines.map((line) =>
    line === '...' ? '(?:.*\n)*?' : `${lineSource(line, learnt, groups)}\n`,
  )
  const match = new RegExp(`^${source.join('')}$`).exec(output === '' ? '' : `${output}\n`)
  for (const [index, name] of groups.entries()) {
    const value = match?.groups?.[`g${index}`]
    if (value !== undefined) learnt.set(name, value)
  }
  return match !== null
}

/** The regular expression of one expected line. The place of a name in `groups` is the number of its group. */
function lineSource(line: string, learnt: ReadonlyMap<string, string>, groups: string[]): string {
  let source = ''
  let end = 0
  for (const match of line.matchAll(placeholder)) {
    const name = match[1] ?? ''
    source += escapeRegExp(line.slice(end, match.index)) + placeholderSource(name, learnt, groups)
    end = match.index + match[0].length
  }
  return source + escapeRegExp(line.slice(end))
}

function placeholderSource(name: string, learnt: ReadonlyMap<string, string>, groups: string[]): string {
  const known = learnt.get(name)
  if (known !== undefined) return escapeRegExp(known)
  if (groups.includes(name)) return `\\k<g${groups.indexOf(name)}>`
  groups.push(name)
  return `(?<g${groups.length - 1}>${placeholders[name.replace(/-\d+$/, '')] ?? ''})`
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

function difference(step: Step, seen: Seen): string {
  const indent = (text: string) => text.replace(/^/gm, '    ')
  return [
    `Line ${step.line}: $ ${step.command}`,
    `  expected (exit ${step.exit}):`,
    indent(step.expected),
    `  seen (exit ${seen.exit}):`,
    indent(seen.output),
  ].join('\n')
}
