import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

/** Values with where each came from. Attacker-controlled, and possibly secret. */
export type Collected = {
  /** Those of the shell before those of files, and of files the last one named. */
  readonly env: Readonly<Record<string, string>>
  /** `shell`, `.env:3`, or `shell, over .env:3`; a variable that is not here came from the shell. */
  readonly origins: ReadonlyMap<string, string>
  /** Files that were named and cannot be read. */
  readonly missing: readonly string[]
}

/** The largest file that is read. */
const fileBytesMax = 1024 * 1024

/**
 * The variables of the shell and of files, by Node's own parser. `{mode}` in a name is the mode in lower case, as the shell alone gives it.
 * A name without a value (`PORT=`) is not set: example files have such lines. A file that is named and not there is a finding, not a guess.
 */
export function collectVariables(
  shell: NodeJS.ProcessEnv,
  files: readonly string[],
  mode: string | undefined,
): Collected {
  const env: Record<string, string> = {}
  const origins = new Map<string, string>()
  const missing: string[] = []
  for (const named of files) {
    const file = mode === undefined ? named : named.replaceAll('{mode}', mode.toLowerCase())
    const text = readText(file)
    if (text === undefined) {
      missing.push(file)
      continue
    }
    const lines = linesOf(text)
    for (const [name, value] of Object.entries(parseEnv(text))) {
      if (value === undefined || value === '') continue
      env[name] = value
      origins.set(name, `${file}:${lines.get(name) ?? 1}`)
    }
  }
  for (const [name, value] of Object.entries(shell)) {
    if (value === undefined) continue
    const over = origins.get(name)
    if (over !== undefined) origins.set(name, env[name] === value ? over : `shell, over ${over}`)
    env[name] = value
  }
  return { env, origins, missing }
}

function readText(file: string): string | undefined {
  try {
    const bytes = readFileSync(file)
    // Other encodings would be read as other names, or as none at all. The decoder takes the mark of UTF-8 away.
    return bytes.length > fileBytesMax || bytes.includes(0) ? undefined : utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The line of each name. The parser keeps none, so it reads the text once more with the number of its line before each name, and whatever
 * stands within a text in quotes is again none. It gives them in no order, and of a name that stands there often the last one holds.
 */
function linesOf(text: string): ReadonlyMap<string, number> {
  const numbered = text
    .split('\n')
    .map((line, at) => line.replace(/^(\s*(?:export +)?)(?=[^\s#="'`])/, `$1${at + 1}:`))
    .join('\n')
  const lines = new Map<string, number>()
  for (const key of Object.keys(parseEnv(numbered))) {
    const [, line, name] = /^(\d+):(.*)$/s.exec(key) ?? []
    if (name !== undefined) lines.set(name, Math.max(Number(line), lines.get(name) ?? 0))
  }
  return lines
}
