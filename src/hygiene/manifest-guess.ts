import type { Guess } from './later-guess.ts'

/**
 * Values that a manifest has for every place where it is applied: the data of a ConfigMap or Secret, which `envFrom` hands to a program, the
 * literals of a generator of Kustomize, the values of a Helm chart, and defaults in its templates. What only hands on another's value,
 * such as `{{ .Values.mode }}`, `{{ required … }}` or `configMapRef`, is none.
 */
export function* manifestGuesses(path: string, code: string): Iterable<Guess> {
  if (!/\.ya?ml$/i.test(path)) return
  const isValues = /(?:^|\/)values[^/]*\.ya?ml$/i.test(path)
  for (const { start, text } of documentsOf(code)) {
    const isMap = /^kind:[ \t]*["']?(?:ConfigMap|Secret)\b/m.test(text)
    // A Secret's `data` is in base64, and its name alone says enough.
    const blocks = isMap
      ? blocksOf(text, /^(?:data|stringData):[ \t]*$/gm)
      : isValues
        ? [{ start: 0, text }]
        : []
    for (const block of blocks) yield* shifted(entries, block.text, start + block.start)
    for (const block of blocksOf(text, /^[ \t]*literals:[ \t]*$/gm))
      yield* shifted(literals, block.text, start + block.start)
    yield* shifted(templated, text, start)
  }
}

const name = '(?<name>[A-Za-z_][A-Za-z0-9_]{0,127})'
/** Neither nothing, nor another's value. */
const literal = '(?!["\']?(?:\\$|\\{\\{)|""|\'\'|null\\b|~|#|&|\\*|\\{\\}|\\[\\])\\S'

const entries = new RegExp(`^[ \\t]*(?:-[ \\t]+)?["']?${name}["']?:[ \\t]+${literal}`, 'gm')
const literals = new RegExp(`^[ \\t]*-[ \\t]+["']?${name}=${literal}`, 'gm')
/** `AOS_MODE: {{ .Values.mode | default "preprod" }}`, and the same as the value of an entry of `env`. */
const templated = new RegExp(
  `(?:^[ \\t]*["']?${name}["']?:|\\bname:[ \\t]*["']?(?<entry>[A-Za-z_]\\w{0,127})["']?[ \\t]*\\n[ \\t]+value:)[ \\t]*["']?\\{\\{[^}\\n]{0,400}\\bdefault\\b`,
  'gm',
)

function* shifted(pattern: RegExp, text: string, start: number): Iterable<Guess> {
  for (const match of text.matchAll(pattern)) {
    const found = match.groups?.['name'] ?? match.groups?.['entry']
    if (found !== undefined) yield { name: found, offset: start + match.index + match[0].indexOf(found) }
  }
}

type Piece = { readonly start: number; readonly text: string }

function documentsOf(code: string): readonly Piece[] {
  const starts = [0, ...[...code.matchAll(/^---/gm)].map(({ index }) => index)]
  return starts.map((start, at) => ({ start, text: code.slice(start, starts[at + 1]) }))
}

/** What stands below each of these lines, deeper than it or, as lists may, beside it. */
function blocksOf(text: string, heads: RegExp): readonly Piece[] {
  const blocks: Piece[] = []
  let end = 0
  for (const head of text.matchAll(heads)) {
    // One within another is looked at with it.
    if (head.index < end) continue
    const depth = head[0].search(/\S/)
    const start = head.index + head[0].length
    const rest = text.slice(start)
    const length = rest.search(new RegExp(`\\n(?=[ \\t]{0,${depth}}[^\\s-])`))
    const block = { start, text: length === -1 ? rest : rest.slice(0, length) }
    end = start + block.text.length
    blocks.push(block)
  }
  return blocks
}
