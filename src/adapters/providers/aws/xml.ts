import { Failure } from '../../../primitives/index.ts'

/** An element of an AWS answer: no attributes, no comments, no declarations of types or entities. */
export type XmlElement = {
  readonly name: string
  readonly children: readonly XmlElement[]
  readonly text: string
}

const depthMax = 16

/** Reads an answer, which is attacker-controlled until it is read. Throws `provider_answer_invalid` for anything but one plain element. */
export function parseXml(source: string): XmlElement {
  const document = building('')
  const open = [document]
  const token = createToken()
  token.lastIndex = /^(?:<\?xml[^<>]*\?>)?/.exec(source)?.[0].length ?? 0
  while (token.lastIndex < source.length) {
    const match = token.exec(source)
    const parent = open.at(-1)
    if (!match || !parent) throw malformed()
    const [, closes, name, empty, text] = match
    if (text !== undefined) parent.text += unescaped(text)
    else if (closes) close(open, name)
    else if (open.length > depthMax) throw malformed()
    else {
      const child = building(name ?? '')
      parent.children.push(child)
      if (!empty) open.push(child)
    }
  }
  const [root] = document.children
  if (!root || open.length !== 1 || document.children.length !== 1 || document.text.trim() !== '')
    throw malformed()
  return root
}

/** The text at the end of a path of element names, each of which stands there exactly once. Throws `provider_answer_invalid`. */
export function textAt(root: XmlElement, path: readonly string[]): string {
  const text = findText(root, path)
  if (text === undefined) throw malformed(`it has not exactly one ${path.join('/')}`)
  return text
}

/** As `textAt`, but `undefined` when it is not there once. */
export function findText(root: XmlElement, path: readonly string[]): string | undefined {
  let here = root
  for (const name of path) {
    const [only, second] = here.children.filter((child) => child.name === name)
    if (!only || second) return undefined
    here = only
  }
  return here.children.length === 0 ? here.text : undefined
}

/** `provider_answer_invalid`: an answer that cannot be what was asked for. */
export function malformed(internal = 'it is not the XML of an AWS answer'): Failure {
  return new Failure('provider_answer_invalid', 'AWS gave an answer that cannot be read.', { internal })
}

type Building = { readonly name: string; readonly children: Building[]; text: string }

function building(name: string): Building {
  return { name, children: [], text: '' }
}

function close(open: Building[], name: string | undefined): void {
  if (open.length < 2 || open.pop()?.name !== name) throw malformed()
}

/** A tag (closing slash, name, attributes, empty slash) or a run of text, exactly where the last one ended. */
function createToken(): RegExp {
  const attribute = /\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*')/.source
  return new RegExp(`<(/?)([A-Za-z_][\\w.:-]*)(?:${attribute})*\\s*(/?)>|([^<]+)`, 'y')
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescaped(text: string): string {
  return text.replace(
    /&(?:([a-z]+);|#([0-9]{1,7});|#x([0-9a-fA-F]{1,6});)?/g,
    (_, name, decimal, hexadecimal) => {
      const known = Object.hasOwn(entities, `${name}`) ? entities[`${name}`] : undefined
      return (
        known ?? character(decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hexadecimal ?? '', 16))
      )
    },
  )
}

function character(code: number): string {
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  if (!isCharacter) throw malformed()
  return String.fromCodePoint(code)
}
