import { z } from 'zod'
import type { Credential } from '../../../broker/index.ts'
import { equalInConstantTime, Secret } from '../../../primitives/index.ts'

/** What an object gave for a scope. `expiresAt` is milliseconds since 1970. */
export type Answer = {
  readonly fields: Credential['fields']
  readonly tokenId: string | undefined
  readonly expiresAt: number | undefined
}

/** The id in an answer, even when nothing else of it can be understood: enough to revoke it. */
export function readTokenId(answer: unknown): string | undefined {
  const named = namedSchema.safeParse(answer)
  return named.success ? (named.data.tokenId ?? named.data.id) : undefined
}

/** `undefined` for what has none of the shapes, and for an id that is the secret itself: ids are stored and shown. */
export function readAnswer(answer: unknown): Answer | undefined {
  const read = answerSchema.safeParse(answer)
  if (!read.success) return undefined
  const { value, expiresAt } = read.data
  const tokenId = readTokenId(answer)
  const fields = value instanceof Secret ? { value } : value
  const secrets = Object.values(fields).filter((field) => field instanceof Secret)
  const isId = (secret: Secret) => tokenId !== undefined && equalInConstantTime(secret.reveal(), tokenId)
  if (secrets.length === 0 || secrets.some(isId)) return undefined
  return { fields, tokenId, expiresAt: expiresAt?.getTime() }
}

const idSchema = z.string().min(1).max(512)
const namedSchema = z.object({ tokenId: idSchema.optional(), id: idSchema.optional() })

const secretText = z.union([
  z
    .string()
    .min(1)
    .max(65_536)
    .transform((text) => new Secret(text)),
  z.instanceof(Secret),
])
const fieldName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/)
const instant = z.union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))])

const answerSchema = z.union([
  secretText.transform((value) => ({ value, expiresAt: undefined })),
  z.object({
    value: z.union([secretText, z.record(fieldName, z.union([secretText, z.number()]))]),
    expiresAt: instant.optional(),
  }),
])
