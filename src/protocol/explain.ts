import { z } from 'zod'
import { requestBody } from './credentials.ts'
import type { Operation } from './operation.ts'
import { receipt } from './receipt.ts'

const place = z.object({ file: z.string(), line: z.number().int(), column: z.number().int() })

export const explanation = z.object({
  decision: z.enum(['allow', 'deny']),
  rule: z.string(),
  reason: z.string(),
  contract: place,
  duration_seconds: z.number().int().optional(),
  nearest: z
    .object({
      service: z.string(),
      action: z.string(),
      resource: z.string(),
      duration: z.number().int().optional(),
    })
    .optional(),
  next: z.string(),
  mode: z.string(),
  policy: z.string(),
  request_id: z.string(),
  receipt,
})

export const explainRequest: Operation = {
  id: 'explain',
  method: 'POST',
  path: '/v1/explain',
  summary: 'What would be decided, by the same engine; nothing is minted',
  access: 'identified',
  planes: ['machine', 'human'],
  body: { type: 'application/json', schema: requestBody },
  answers: { 200: { description: 'The decision.', type: 'application/json', schema: explanation } },
}
