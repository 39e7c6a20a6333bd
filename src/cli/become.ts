import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'

export type Lookup =
  | { readonly kind: 'found'; readonly path: string }
  /** Nothing of that name, or something that cannot be executed. */
  | { readonly kind: 'missing' | 'unexecutable' }

/** Where a shell would find a command. */
export function findCommand(program: string, path: string | undefined): Lookup {
  const candidates = program.includes('/')
    ? [program]
    : (path ?? '').split(':').map((folder) => `${folder === '' ? '.' : folder}/${program}`)
  let kind: 'missing' | 'unexecutable' = 'missing'
  for (const candidate of candidates) {
    const found = statSync(candidate, { throwIfNoEntry: false })
    if (!found?.isFile()) continue
    if ((found.mode & 0o111) !== 0) return { kind: 'found', path: candidate }
    kind = 'unexecutable'
  }
  return { kind }
}

/** What the launcher alone may see stays behind. */
export function withoutInternal(
  env: Readonly<Record<string, string | undefined>>,
  internal: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name in env) {
    const value = env[name]
    if (value !== undefined && !internal.includes(name)) kept[name] = value
  }
  return kept
}

/** Node ignores these two, and a command would inherit that; a handler that is taken away leaves what a process begins with. */
const ignoredByNode = ['SIGPIPE', 'SIGXFSZ'] as const

/**
 * Becomes the command at this path: nothing of this process stays, so that signals and exit codes are the command's own. Returns where that
 * cannot be held: without `execve`, or with a file that the system itself cannot execute.
 */
export function becomeCommand(path: string, command: readonly string[], env: Record<string, string>): void {
  if (process.execve === undefined || !isExecutableItself(path)) return
  for (const name of ignoredByNode) process.on(name, nothing).off(name, nothing)
  process.execve(path, command, env)
}

function nothing(): void {}

/** A program, or a script whose interpreter is there. A failing `execve` would abort, where a shell says 126 or reads the file itself. */
function isExecutableItself(path: string): boolean {
  const file = openSync(path, 'r')
  const head = Buffer.alloc(256)
  readSync(file, head, 0, head.length, 0)
  closeSync(file)
  const text = head.toString('latin1')
  if (text.startsWith('\x7fELF')) return true
  const interpreter = /^#![ \t]*(\/[^\s\0]+)/.exec(text)?.[1]
  return interpreter !== undefined && existsSync(interpreter)
}
