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
    if (text === undefined) missing.push(file)
    else
      for (const [name, value] of Object.entries(parseEnv(text))) {
        if (value === undefined || value === '') continue
        env[name] = value
        origins.set(name, `${file}:${lineOf(name, value, text)}`)
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

/** The last line that begins with the name and from which the parser reads this value; the parser itself keeps no lines. */
function lineOf(name: string, value: string, text: string): number {
  const lines = text.split('\n')
  for (let line = lines.length; line > 0; line -= 1) {
    const words = lines[line - 1]?.trimStart().replace(/^export\s+/, '') ?? ''
    if (!words.startsWith(name) || !/^\s*=/.test(words.slice(name.length))) continue
    if (parseEnv(lines.slice(line - 1).join('\n'))[name] === value) return line
  }
  return 1
}
