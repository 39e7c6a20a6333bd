import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Failure } from '../../primitives/index.ts'
import type { Operation } from '../../protocol/index.ts'
import { rawHeader } from './evidence.ts'

/** Takes JSON and OAuth's forms and nothing else. A name that stands twice is refused: two readers could take different ones. */
export function takeBodies(app: FastifyInstance): void {
  const take = (type: string, parse: (text: string) => unknown) =>
    app.addContentTypeParser(type, { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
      parse(textOf(body)),
    )
  app.removeAllContentTypeParsers()
  take('application/json', parseJson)
  take('application/x-www-form-urlencoded', parseForm)
}

/**
 * Refuses a body or query that the operation does not declare. Each operation takes one media type: a browser sends forms across sites
 * without asking, together with its client certificate, and JSON only after it asked.
 */
export function demandDeclared({ body, query }: Operation, request: FastifyRequest): void {
  const type = mediaTypeOf(request)
  if (body && type !== body.type)
    throw new Failure('request_invalid', `The body of this operation must be ${body.type}.`)
  if (!body && (type !== undefined || carriesBody(request)))
    throw new Failure('request_invalid', 'This operation takes no body.')
  if (!query && request.url.includes('?'))
    throw new Failure('request_invalid', 'This operation takes no query.')
}

/** Without its parameters. A type that stands twice, another character set and a content coding are read by some and not by others. */
function mediaTypeOf(request: FastifyRequest): string | undefined {
  const { 'content-type': type, 'content-encoding': coding } = request.headers
  if (
    coding !== undefined ||
    rawHeader(request, 'content-type').length > 1 ||
    (type && otherCharset.test(type))
  )
    throw new Failure('request_invalid', 'The body must have one Content-Type, in UTF-8 and with no coding.')
  return type?.split(';')[0]?.trim().toLowerCase()
}

/** Also as it is written with a coding of its own (RFC 8187 §3.2). */
const otherCharset = /;\s*charset\s*(?:\*|=(?!\s*"?utf-8"?\s*(?:;|$)))/i

/** RFC 8259 §8.1. What is no UTF-8 would become other text without a word. */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new Failure('request_invalid', 'The body is not UTF-8.')
  return body.toString('utf8')
}

function carriesBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Attacker-controlled text as JSON; throws `request_invalid`. */
export function parseJson(text: string): unknown {
  const value = parsedOrUndefined(text)
  if (value === undefined) throw new Failure('request_invalid', 'The body is not JSON.')
  if (namesIn(text) !== keysOf(value))
    throw new Failure('request_invalid', 'A field of the body stands more than once.')
  return value
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How many names stand in JSON that is valid: outside of texts, each has its colon. */
function namesIn(json: string): number {
  let names = 0
  let inText = false
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '\\') at += 1
    else if (character === '"') inText = !inText
    else if (character === ':' && !inText) names += 1
  }
  return names
}

/** How many keys are left of them in the value. */
function keysOf(value: unknown): number {
  let keys = 0
  const open = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if (!Array.isArray(next)) keys += Object.keys(next).length
    for (const inner of Object.values(next)) open.push(inner)
  }
  return keys
}

/** RFC 6749 §3.2: a parameter stands once. */
export function parseForm(text: string): unknown {
  const fields = new URLSearchParams(text)
  const names = [...fields.keys()]
  if (new Set(names).size !== names.length)
    throw new Failure('request_invalid', 'A form field stands more than once.')
  return Object.fromEntries(fields)
}
