import type { z } from 'zod'

/** One operation on the wire. The OpenAPI description, the parsing and the leak guard of the answers all come from it. */
export type Operation = {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With parameters as `{name}`. */
  readonly path: string
  readonly summary: string
  /** Who may call: an identity of the listener's plane, or anybody. */
  readonly access: 'identified' | 'public'
  readonly planes: readonly ('machine' | 'human')[]
  readonly parameters?: z.ZodObject
  readonly query?: z.ZodObject
  readonly headers?: z.ZodObject
  readonly body?: {
    readonly type: 'application/json' | 'application/x-www-form-urlencoded'
    readonly schema: z.ZodObject | z.ZodUnion<readonly z.ZodObject[]>
  }
  /** By status. A text answer has a media type and no schema. */
  readonly answers: Readonly<Record<number, Answer>>
}

export type Answer =
  | { readonly description: string; readonly type: 'application/json'; readonly schema: z.ZodType }
  | { readonly description: string; readonly type: string; readonly schema?: undefined }
