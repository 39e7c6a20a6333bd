import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import type { Caller } from '../../broker/index.ts'
import { Failure } from '../../primitives/index.ts'
import type { Operation } from '../../protocol/index.ts'

/** One request as a handler sees it. Everything but `caller` is attacker-controlled. */
export type Exchange = {
  readonly requestId: string
  readonly parameters: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: IncomingHttpHeaders
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
}

export type Identified = Exchange & { readonly caller: Caller }

/** An answer: a value that the operation's schema holds back to what is declared, or text or bytes as they are. */
export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly value?: unknown
  readonly text?: string
  readonly bytes?: Uint8Array
  /** Many bytes, one after another; a failure on the way breaks the connection off. */
  readonly stream?: AsyncIterable<Uint8Array>
}

/** Parses a part of the request by its schema; throws `request_invalid` naming each field, never its value. */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  part: string,
): z.output<Schema> {
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${[part, ...issue.path].join('.')}: ${issue.message}`.slice(0, 200))
  throw new Failure('request_invalid', `The request is not valid. ${problems.join('; ')}`, {
    next: 'GET /openapi.json describes what is taken',
  })
}

/** One header's value; a repeated header that must stand once is refused. */
export function header(exchange: Exchange, name: string): string | undefined {
  const value = exchange.headers[name]
  if (Array.isArray(value)) throw new Failure('request_invalid', `The header ${name} stands more than once.`)
  return value
}

/** An operation and what answers it. */
export type Route = {
  readonly operation: Operation
  readonly handle: (exchange: Exchange, caller: Caller | undefined) => Promise<Reply>
}

/** A route for proven callers alone. */
export function identified(operation: Operation, handle: (exchange: Identified) => Promise<Reply>): Route {
  return {
    operation,
    handle: async (exchange, caller) => {
      if (!caller) throw new Failure('identity_missing', 'Nobody was identified.')
      return handle({ ...exchange, caller })
    },
  }
}

/** A route for anybody. */
export function open(operation: Operation, handle: (exchange: Exchange) => Promise<Reply>): Route {
  return { operation, handle: (exchange) => handle(exchange) }
}
