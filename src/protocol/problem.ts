import { z } from 'zod'
import { failureCodes } from '../primitives/index.ts'
import { receipt } from './receipt.ts'

/** RFC 9457 problem details, with what a program and a person need to go on. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.enum(failureCodes),
  request_id: z.string(),
  retryable: z.boolean(),
  next: z.string().optional().meta({ description: 'The next command or step.' }),
  rule: z.string().optional().meta({ description: 'Of a denial: the rule that decided.' }),
  contract: z
    .object({ file: z.string(), line: z.number().int(), column: z.number().int(), digest: z.string() })
    .optional(),
  nearest: z
    .object({
      service: z.string(),
      action: z.string(),
      resource: z.string(),
      duration: z.number().int().optional(),
    })
    .optional()
    .meta({ description: 'Of a denial: the nearest request that would be allowed.' }),
  receipt: receipt.optional(),
})
