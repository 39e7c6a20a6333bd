/** One line of a file of variables, as the most generous of its readers would take it. */
export type ExampleLine =
  | { readonly kind: 'empty' }
  | Comment
  | { readonly kind: 'assignment'; readonly name: string; readonly value: string }
  | { readonly kind: 'unreadable' }

export type Comment = {
  readonly kind: 'comment'
  readonly text: string
  /** Where the comment is an assignment and nothing else. */
  readonly whole?: Assignment
  /** Each `NAME=value` in it. */
  readonly inside: readonly Assignment[]
}

export type Assignment = { readonly name: string; readonly value: string }

/** The lines of a file, however it ends them; a mark of UTF-8 belongs to none. */
export function linesOf(text: string): readonly string[] {
  return text.replace(/^\ufeff/, '').split(/\r\n|[\r\n]/)
}

export function readExampleLine(line: string): ExampleLine {
  if (line.trim() === '') return { kind: 'empty' }
  const [mark] = /^\s*#[#\s]*/.exec(line) ?? []
  if (mark !== undefined) return readComment(line.slice(mark.length))
  const written = assignmentIn(line)
  return written === undefined ? { kind: 'unreadable' } : { kind: 'assignment', ...written }
}

function readComment(text: string): Comment {
  const whole = assignmentIn(text)
  // A name begins where a word does, and so once: a long line must not cost its square.
  const inside = [...text.matchAll(/(?<![^\s"'`,;(])([^\s=#"'`,;(]+)\s*=\s*(\S+)/g)].map(
    ([, name = '', value = '']) => ({ name, value: unquoted(value) }),
  )
  return { kind: 'comment', text, inside, ...(whole === undefined ? {} : { whole }) }
}

function assignmentIn(text: string): Assignment | undefined {
  const [head, name] = /^\s*(?:export\s+)?([^\s=#]+)\s*=/.exec(text) ?? []
  return head === undefined || name === undefined
    ? undefined
    : { name, value: unquoted(text.slice(head.length).trim()) }
}

function unquoted(value: string): string {
  return /^(["'`])(.*)\1$/s.exec(value)?.[2] ?? value
}
