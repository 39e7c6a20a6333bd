import { constants } from 'node:os'
import { styleText } from 'node:util'
import { exitCodeOf } from './exit-code.ts'

/** Where a command talks: data to stdout, everything for people to stderr. Nothing it writes can move a terminal's cursor. */
export type Terminal = {
  /** Whether stdout carries JSON alone. */
  readonly json: boolean
  /** A line of data for people. */
  readonly out: (text: string) => void
  /** A line beside the data. */
  readonly say: (text: string) => void
  /** One line of JSON. */
  readonly data: (value: unknown) => void
}

export function terminal(options: { json?: boolean }): Terminal {
  // Standard output is not touched before something is written: `run` leaves its streams to the child as they are.
  const out = (text: string) => write(process.stdout, `${text}\n`)
  return {
    json: options.json ?? false,
    out: (text) => out(forTerminal(text)),
    say: (text) => write(process.stderr, `${forTerminal(text)}\n`),
    data: (value) => out(jsonText(value)),
  }
}

const watched = new WeakSet<NodeJS.WriteStream>()

/** Resolves with what the system said of the text, or with nothing when it has it. */
function written(stream: NodeJS.WriteStream, text: string): Promise<Error | null | undefined> {
  // Each text hears of itself; without a listener the stream would end the process.
  if (!watched.has(stream)) stream.on('error', () => undefined)
  watched.add(stream)
  return new Promise((resolve) => stream.write(text, resolve))
}

function write(stream: NodeJS.WriteStream, text: string): void {
  void written(stream, text).then(async (lost) => {
    const code = lost && tellUnwritten(stream, lost)
    if (typeof code !== 'number') return
    await handing
    process.exit(code)
  })
}

let toldUnwritten = false

/**
 * The exit code where nobody takes the words of the command. A reader that goes away, such as `| head -1`, ends it as a signal would; data that
 * the system does not take is a failure. A line beside the data may be lost: a broker must not end because the disk of its own log is full.
 */
function tellUnwritten(stream: NodeJS.WriteStream, lost: Error): number | undefined {
  if ('code' in lost && lost.code === 'EPIPE') return signalExitCode('SIGPIPE')
  if (stream === process.stderr || toldUnwritten) return undefined
  toldUnwritten = true
  const [reason = lost.message] = lost.message.split(', ')
  const message = `Standard output cannot be written (${reason}).`
  return tell(terminal({}), { code: 'option_invalid', message })
}

/** To stdout as it is: for a file of another program, in which each character counts. */
export function writeWhole(text: string): void {
  write(process.stdout, text)
}

/** What is handed over now; a command does not end before. */
let handing: Promise<void> = Promise.resolve()

/** To stdout what must not live on where it reaches nobody: then `takeBack` runs, which must not reject, and the command ends as for every text. */
export function handOver(text: string, takeBack: () => Promise<void>): Promise<void> {
  handing = written(process.stdout, `${text}\n`).then(async (lost) => {
    if (!lost) return
    const code = tellUnwritten(process.stdout, lost)
    await takeBack()
    if (code !== undefined) process.exit(code)
  })
  return handing
}

/** Characters that could move a cursor, hide text or turn its direction: control, format, surrogate, private, unassigned, line ends. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Words of others, a caller's or a provider's, as they may stand in one line. */
export function printable(value: unknown): string {
  return value === null || value === undefined ? '' : String(value).replace(unprintable, '\ufffd')
}

/** The colours of `paint` and line ends pass; every other unprintable character is shown as U+FFFD. */
function forTerminal(text: string): string {
  const kept = /(\u001b\[(?:1|22|3[1-3]|39|90)m|\n)/
  return text
    .split(kept)
    .map((piece) => (kept.test(piece) ? piece : printable(piece)))
    .join('')
}

/** JSON that says the same and holds no character that a terminal acts on. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}

type Style = 'bold' | 'red' | 'green' | 'yellow' | 'gray'

/** Colour where a person looks at a terminal; `NO_COLOR` and `FORCE_COLOR` are heeded by Node itself. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream })
}

/** What went wrong, in the words of `docs/errors.md`. */
export type Told = {
  readonly code: string
  readonly message: string
  readonly next?: string | undefined
  /** Shown for `internal` alone, where nobody foresaw what happened here. */
  readonly internal?: string | undefined
}

/** Tells a failure and gives the exit code for it. No secret gets here: the message is made for callers. */
export function tell(io: Terminal, { code, message, next, internal }: Told): number {
  if (io.json) io.data({ error: { code, message, ...(next === undefined ? {} : { next }) } })
  else {
    io.say(`${paint('red', 'error', process.stderr)} ${message.trimEnd()} (${code})`)
    if (code === 'internal' && internal !== undefined) io.say(internal)
    if (next !== undefined) io.say(`Next: ${next}`)
  }
  return exitCodeOf(code)
}

/** Resolves at the first SIGINT or SIGTERM; call it before there is anything to clean up. A second one ends the process at once. */
export function untilSignal(
  names: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'],
): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const heard = (name: NodeJS.Signals) => {
    for (const other of names) process.off(other, heard)
    resolve(name)
  }
  for (const name of names) process.on(name, heard)
  return promise
}

/** As a shell says that a signal ended a command. */
export function signalExitCode(name: NodeJS.Signals): number {
  return 128 + constants.signals[name]
}
