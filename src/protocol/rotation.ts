import { z } from 'zod'
import { protocolLimits } from './limits.ts'
import type { Operation } from './operation.ts'

export const rotationRequest = z.strictObject({
  provider: z.string().min(1).max(protocolLimits.nameCharactersMax),
  target: z.string().min(1).max(protocolLimits.rotationTargetCharactersMax),
})

export const rotateSecret: Operation = {
  id: 'rotate',
  method: 'POST',
  path: '/v1/rotations',
  summary: 'Rotate a provider’s own secret: a signing key, a named role’s password',
  access: 'identified',
  planes: ['human'],
  body: {
    type: 'application/json',
    schema: rotationRequest,
  },
  answers: {
    200: {
      description: 'What was rotated, in words; never the value.',
      type: 'application/json',
      schema: z.object({ rotated: z.string() }),
    },
  },
}
