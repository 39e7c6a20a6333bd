import { z } from 'zod'
import { parseDurationSeconds } from '../primitives/index.ts'
import { protocolLimits } from './limits.ts'
import type { Operation } from './operation.ts'
import { receipt } from './receipt.ts'
import { upTo } from './up-to.ts'

const secondsMax = protocolLimits.durationSecondsMax
/** Exactly what is accepted, so that the description says no more than that. */
const durationText = new RegExp(
  `^(?:${upTo(secondsMax)}s?|${upTo(secondsMax / 60)}m|${upTo(secondsMax / 3600)}h|${upTo(secondsMax / 86_400)}d)$`,
)
const durationProblem = `must be whole seconds from 1 to ${secondsMax}, or a text such as 90s, 15m, 8h`

/** Seconds as a whole number, or a text such as `15m`. */
export const duration = z
  .union(
    [z.number().int().min(1).max(secondsMax), z.string().regex(durationText).transform(parseDurationSeconds)],
    { error: durationProblem },
  )
  .meta({
    description: 'How long, in seconds or as a text such as `15m`. Default: the contract’s, 15 minutes.',
  })

/** What is asked: one action on one resource (seed 004 §2). All of it is attacker-controlled; who asks is never part of it. */
export const credentialRequest = z.strictObject({
  service: z
    .string()
    .min(1)
    .max(protocolLimits.nameCharactersMax)
    .meta({ description: 'A service of the contract.' }),
  action: z
    .string()
    .min(1)
    .max(protocolLimits.nameCharactersMax)
    .meta({ description: 'One action of that service.' }),
  resource: z
    .string()
    .min(1)
    .max(protocolLimits.resourceCharactersMax)
    .meta({ description: 'One resource, no pattern.' }),
  duration: duration.optional(),
  purpose: z
    .string()
    .max(protocolLimits.purposeCharactersMax)
    .optional()
    .meta({ description: 'For the log alone; never an input to the decision.' }),
})

/** The same by a reference of the contract, which stands for all three words (seed 001 §3). It is a name, and never a secret. */
export const referenceRequest = z.strictObject({
  credentialRef: z
    .string()
    .min(1)
    .max(protocolLimits.referenceCharactersMax)
    .regex(/^cred:\/\/[!-~]*$/, { error: 'must begin with cred://' })
    .meta({ description: 'A reference that the contract resolves to a service, an action and a resource.' }),
  duration: credentialRequest.shape.duration,
  purpose: credentialRequest.shape.purpose,
})

/** What is asked: in three words, or by a reference; never both. */
export const requestBody = z.union([credentialRequest, referenceRequest])

const instant = z.string().meta({ description: 'RFC 3339, UTC.' })

export const issuedCredential = z.object({
  lease_id: z.string(),
  credential: z
    .object({
      type: z.string().meta({ description: 'aws, postgres, jwt, env …: how a plug point hands it on.' }),
    })
    .catchall(z.union([z.string(), z.number()]))
    .meta({ description: 'The credential itself, shown once.' }),
  meaning: z.string().meta({ description: 'What the request was taken to mean at the provider.' }),
  expires_at: instant,
  expires_in: z.number().int().meta({ description: 'Seconds from now.' }),
  effective: z.object({ actions: z.array(z.string()), resources: z.array(z.string()), not_after: instant }),
  provider_not_after: instant,
  residual_seconds: z
    .number()
    .int()
    .meta({ description: 'How long the provider remembers it after its end.' }),
  enforced_by: z.string().meta({ description: 'What makes not_after true.' }),
  revocation: z.enum(['immediate', 'eventual', 'none']),
  revocation_note: z.string(),
  grant: z.string(),
  mode: z.string(),
  contract: z.string().meta({ description: 'The digest of the contract that decided.' }),
  request_id: z.string(),
  replayed: z
    .boolean()
    .meta({ description: 'Whether this answer was given before, under the same Idempotency-Key.' }),
  receipt,
})

export const issueCredential: Operation = {
  id: 'issueCredential',
  method: 'POST',
  path: '/v1/credentials',
  summary: 'Ask for a credential: one action on one resource for some minutes',
  access: 'identified',
  planes: ['machine', 'human'],
  headers: z.object({
    'idempotency-key': z
      .string()
      .regex(/^[!-~]{1,128}$/)
      .optional()
      .meta({ description: 'A repeated request with the same key never mints twice.' }),
    prefer: z
      .string()
      .optional()
      .meta({ description: '`wait=N`: the caller’s deadline in seconds (RFC 7240).' }),
    traceparent: z
      .string()
      .optional()
      .meta({ description: 'W3C Trace Context; its trace id is the request_id of every entry.' }),
  }),
  body: { type: 'application/json', schema: requestBody },
  answers: {
    201: {
      description: 'Issued; the record is durable.',
      type: 'application/json',
      schema: issuedCredential,
    },
  },
}
