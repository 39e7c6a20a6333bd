import { once } from 'node:events'
import type { ChildOptions } from './child.ts'

/** Values shorter than this are not redacted: they would be found in everything. Who runs the command is told of them by name. */
export const redactedLengthMin = 8

const mark = '[redacted]'

export type Redactor = {
  /** What of the output so far is safe to pass on; bytes, one a character. */
  push(piece: string): string
  /** The rest, when the output ends. */
  end(): string
}

/** Replaces secrets in a stream, also where they are split between pieces, and as base64, hexadecimal, in a URL, in JSON or reversed. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = [...new Set(secrets.filter(({ length }) => length >= redactedLengthMin).flatMap(formsOf))]
    .map(bytesOf)
    .sort((left, right) => right.length - left.length)
  const pattern = forms.length === 0 ? /(?!)/g : new RegExp(forms.map(RegExp.escape).join('|'), 'g')
  let held = ''
  return {
    push(piece) {
      held = (held + piece).replace(pattern, mark)
      const safe = held.length - heldBack(held, forms)
      const passed = held.slice(0, safe)
      held = held.slice(safe)
      return passed
    },
    end() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** How many characters at the end could be the beginning of a secret. */
function heldBack(text: string, forms: readonly string[]): number {
  const longest = Math.min(text.length, (forms[0]?.length ?? 1) - 1)
  for (let length = longest; length > 0; length -= 1) {
    const tail = text.slice(-length)
    if (forms.some((form) => form.length > length && form.startsWith(tail))) return length
  }
  return 0
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const inBase64 = [0, 1, 2].flatMap((offset) => base64At(bytes, offset))
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    hex,
    hex.toUpperCase(),
    [...secret].reverse().join(''),
    ...inBase64,
  ].filter(({ length }) => length >= redactedLengthMin)
}

/** What base64 of any text has of the secret, when it begins at this offset of three bytes; the edges depend on the neighbours. */
function base64At(bytes: Buffer, offset: number): readonly string[] {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  const from = offset === 0 ? 0 : offset + 1
  const until = Math.floor(((bytes.length + offset) * 8) / 6)
  const inside = text.slice(from, until)
  return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')]
}

/** A stream is bytes: each becomes one character, so that a piece may end within a character. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** For a child whose output passes through here: without these secrets, by name. Those that are too short to be found are told. */
export function redactedOutput(secrets: ReadonlyMap<string, string>): Pick<ChildOptions, 'onOutput'> {
  const short = [...secrets].filter(([, { length }]) => length < redactedLengthMin).map(([name]) => name)
  if (short.length > 0) process.stderr.write(`Too short to be redacted: ${short.join(', ')}.\n`)
  const values = [...secrets.values()]
  return { onOutput: (stream, output) => redactStream(output, process[stream], values) }
}

/** Passes on what a child writes, redacted; resolves when it has ended. */
async function redactStream(
  from: NodeJS.ReadableStream,
  to: NodeJS.WritableStream,
  secrets: readonly string[],
): Promise<void> {
  const redactor = createRedactor(secrets)
  from.setEncoding('latin1')
  for await (const piece of from) {
    const text = redactor.push(String(piece))
    if (text !== '' && !to.write(Buffer.from(text, 'latin1'))) await once(to, 'drain')
  }
  const rest = redactor.end()
  if (rest !== '') to.write(Buffer.from(rest, 'latin1'))
}
