import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLError,
} from 'yaml'
import type { Place } from './contract.ts'
import { Located } from './located.ts'
import { quote, type Report } from './problem.ts'

/** The largest contract, in bytes of UTF-8. */
export const contractBytesMax = 1024 * 1024

/** How deep mappings and lists may stand in one another. */
export const contractDepthMax = 32

/**
 * Reads one YAML 1.2 document of the core schema: no directive, tag, anchor, alias or merge key, and no key twice. `undefined` when the
 * text cannot be read as such; what else is wrong is reported and what can be read is returned.
 */
export function readDocument(text: string, report: Report): Located | undefined {
  if (Buffer.byteLength(text) > contractBytesMax) {
    report(start, `The file is larger than ${contractBytesMax} bytes.`, 'split what it holds, or shorten it')
    return undefined
  }
  const placeAt = placesIn(text)
  const document = parseDocument(text, options)
  reportUnprintable(text, placeAt, report)
  if (document.directives.yaml.explicit)
    report(
      placeAt(text.indexOf('%YAML')),
      'A `%YAML` line cannot be used.',
      'remove it: a contract is always YAML 1.2',
    )
  const [error] = document.errors
  if (error) {
    // The first alone: what comes after it is its echo.
    reportSyntax(error, placeAt(error.pos[0]), report)
    return undefined
  }
  if (document.contents === null) {
    report(start, 'The file is empty.', 'begin with `contract: environment/v1`')
    return undefined
  }
  return new Walk(placeAt, report).locate(document.contents, undefined, 0)
}

const start: Place = { line: 1, column: 1 }

// Not the library's LineCounter: it counts what its lexer saw, which drifts from the text after some errors.
function placesIn(text: string): (offset: number) => Place {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1), Number.POSITIVE_INFINITY]
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: Math.min(offset, text.length) - (starts[low] ?? 0) + 1 }
  }
}

// Keys are compared in `Walk`, because the library compares each with each: quadratic in a large file.
const options = {
  version: '1.2',
  schema: 'core',
  strict: true,
  merge: false,
  stringKeys: true,
  uniqueKeys: false,
  resolveKnownTags: false,
  prettyErrors: false,
  logLevel: 'error',
} as const

class Walk {
  readonly #placeAt: (offset: number) => Place
  readonly #report: Report

  constructor(placeAt: (offset: number) => Place, report: Report) {
    this.#placeAt = placeAt
    this.#report = report
  }

  locate(node: Node | ParsedNode | null, keyPlace: Place | undefined, depth: number): Located {
    const own = node?.range ? this.#placeAt(node.range[0]) : (keyPlace ?? start)
    this.#refuseIndirection(node, own)
    const key = keyPlace ?? own
    if (depth > contractDepthMax) {
      this.#report(own, `Nothing may stand deeper than ${contractDepthMax} levels.`, 'flatten this value')
      return new Located({ place: own, keyPlace: key, value: null })
    }
    if (isMap(node)) return this.#mapping(node.items, key, depth)
    if (isSeq(node)) return this.#list(node.items, key, depth)
    const value: unknown = isScalar(node) ? node.value : null
    return new Located({ place: value === null ? key : own, keyPlace: key, value })
  }

  #mapping(pairs: readonly { key: unknown; value: unknown }[], place: Place, depth: number): Located {
    const children = new Map<string, Located>()
    for (const pair of pairs) {
      if (!isScalar(pair.key) || typeof pair.key.value !== 'string') continue
      const name = pair.key.value
      const keyPlace = pair.key.range ? this.#placeAt(pair.key.range[0]) : place
      this.#refuseIndirection(pair.key, keyPlace)
      const first = children.get(name)
      if (first) {
        const message = `The key ${quote(name)} stands twice; the first is on line ${first.keyPlace.line}.`
        this.#report(keyPlace, message, 'remove or rename one of the two')
      } else if (this.#mayBeKey(name, keyPlace)) {
        children.set(name, this.locate(asNode(pair.value), keyPlace, depth + 1))
      }
    }
    // `fromEntries` defines own properties, so no key can reach a prototype.
    const value = Object.freeze(Object.fromEntries([...children].map(([name, child]) => [name, child.value])))
    return new Located({ place, keyPlace: place, value, children })
  }

  #list(items: readonly unknown[], place: Place, depth: number): Located {
    const children = new Map(
      items.map((item, index) => [index, this.locate(asNode(item), undefined, depth + 1)]),
    )
    const value = Object.freeze([...children.values()].map((child) => child.value))
    return new Located({ place, keyPlace: place, value, children })
  }

  #mayBeKey(name: string, place: Place): boolean {
    if (name === '<<') this.#report(place, 'A merge key (`<<`) cannot be used.', 'write the keys out')
    if (name === '__proto__') this.#report(place, 'No key may be called `__proto__`.', 'choose another name')
    return name !== '<<' && name !== '__proto__'
  }

  #refuseIndirection(node: Node | ParsedNode | null, place: Place): void {
    if (isAlias(node)) {
      this.#report(
        place,
        `An alias (\`*${node.source}\`) cannot be used.`,
        'write the value out, or quote it if a star was meant',
      )
    } else if (node?.anchor !== undefined) {
      this.#report(place, `An anchor (\`&${node.anchor}\`) cannot be used.`, 'remove the anchor')
    }
    if (node?.tag !== undefined)
      this.#report(place, 'A tag (`!…`) cannot be used.', 'remove the tag; quote the value if text is meant')
  }
}

function asNode(value: unknown): Node | null {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value) ? value : null
}

// YAML 1.2.2 §5.1, and the characters that make a line read otherwise than it is (Trojan Source, CVE-2021-42574).
const unprintable =
  /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffc\u{10000}-\u{10ffff}]|[\u202a-\u202e\u2066-\u2069]/gu

/** Each character once, at its first place. */
function reportUnprintable(text: string, placeAt: (offset: number) => Place, report: Report): void {
  const body = text.startsWith('\ufeff') ? ` ${text.slice(1)}` : text
  const seen = new Set<string>()
  for (const match of body.matchAll(unprintable)) {
    if (seen.has(match[0])) continue
    seen.add(match[0])
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    report(
      placeAt(match.index),
      `The character U+${code} cannot stand in a contract.`,
      'remove it, and save the file as UTF-8',
    )
  }
}

function reportSyntax(error: YAMLError, place: Place, report: Report): void {
  const known = syntax[error.code]
  if (known) report(place, known.message, known.next)
  else report(place, `This is not YAML: ${error.message}.`, 'mend the syntax here or on the line before')
}

const syntax: Readonly<Partial<Record<YAMLError['code'], { message: string; next: string }>>> = {
  BAD_ALIAS: {
    message: 'A bare `*` begins an alias, and an alias cannot be used.',
    next: 'write "*" in quotes',
  },
  MULTIPLE_DOCS: {
    message: 'The file holds more than one document.',
    next: 'keep one, and remove the `---` between them',
  },
  NON_STRING_KEY: { message: 'A key must be text.', next: 'write the key as a plain word' },
  RESOURCE_EXHAUSTION: {
    message: `Nothing may stand deeper than ${contractDepthMax} levels.`,
    next: 'flatten this value',
  },
  TAB_AS_INDENT: { message: 'A tab cannot indent a line.', next: 'indent with spaces' },
}
