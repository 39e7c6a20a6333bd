import { z } from 'zod'
import { protocolLimits } from './limits.ts'
import type { Operation } from './operation.ts'
import { wholeNumber } from './whole-number.ts'

const states = z.enum(['intended', 'live', 'ending', 'ended', 'failed'])

export const lease = z.object({
  lease_id: z.string(),
  tenant: z.string(),
  agent_id: z.string(),
  plane: z.enum(['machine', 'human']),
  mode: z.string(),
  service: z.string(),
  action: z.string(),
  resource: z.string(),
  scope: z.string(),
  provider: z.string(),
  grant: z.string(),
  state: states,
  created_at: z.string(),
  expires_at: z.string(),
  provider_not_after: z.string(),
  handle: z.string(),
  request_id: z.string(),
  end_reason: z.string().optional(),
  ended_at: z.string().optional(),
  refused_at: z.string().optional().meta({ description: 'When the dead credential was tried and refused.' }),
  end_attempts: z.number().int(),
  next_try_at: z.string().optional(),
  last_error: z.string().optional(),
})

export const endedLease = z.object({
  lease,
  proof: z.enum(['refused', 'unproven', 'pending']).meta({
    description:
      'refused: the dead credential was tried and refused. unproven: over, but it could not be tried. pending: retried until it works.',
  }),
})

export const bulkRevocation = z.object({
  refused: z.number().int(),
  unproven: z.number().int(),
  pending: z.number().int(),
})

const name = z.string().min(1).max(protocolLimits.nameCharactersMax)

const filter = {
  tenant: name.optional(),
  agent: name.optional(),
  service: name.optional(),
  mode: name.optional(),
}

export const leaseId = z.strictObject({ id: z.string().min(1).max(protocolLimits.leaseIdCharactersMax) })

/** The id of a lease. Any other text would sort somewhere among them, and the answer be an empty page, or the first one again. */
const cursor = /^lse_[0-9a-hjkmnp-tv-z]{26}$/

/** Which leases, and which page of them. */
export const leaseQuery = z.strictObject({
  ...filter,
  state: states.optional(),
  limit: wholeNumber(z.coerce.number().int().min(1).max(protocolLimits.pageLeasesMax)).default(
    protocolLimits.pageLeasesDefault,
  ),
  after: z
    .string()
    .regex(cursor, 'must be the `next` of the page before')
    .optional()
    .meta({ description: 'The `next` of the page before.' }),
})

/** Which leases to end. At least one field must be there. */
export const revocationFilter = z
  .strictObject(filter)
  .refine((given) => Object.values(given).some((value) => value !== undefined), {
    message: 'name at least one of tenant, agent, service, mode',
  })
  .meta({ minProperties: 1 })

export const listLeases: Operation = {
  id: 'listLeases',
  method: 'GET',
  path: '/v1/leases',
  summary: 'The leases within your reach, newest first',
  access: 'identified',
  planes: ['machine', 'human'],
  query: leaseQuery,
  answers: {
    200: {
      description: 'One page.',
      type: 'application/json',
      schema: z.object({ leases: z.array(lease), next: z.string().optional() }),
    },
  },
}

export const getLease: Operation = {
  id: 'getLease',
  method: 'GET',
  path: '/v1/leases/{id}',
  summary: 'One lease',
  access: 'identified',
  planes: ['machine', 'human'],
  parameters: leaseId,
  answers: { 200: { description: 'The lease.', type: 'application/json', schema: lease } },
}

export const revokeLease: Operation = {
  id: 'revokeLease',
  method: 'DELETE',
  path: '/v1/leases/{id}',
  summary: 'End a lease now; ending an ended one succeeds',
  access: 'identified',
  planes: ['machine', 'human'],
  parameters: leaseId,
  answers: { 200: { description: 'How it stands.', type: 'application/json', schema: endedLease } },
}

export const revokeLeases: Operation = {
  id: 'revokeLeases',
  method: 'POST',
  path: '/v1/revocations',
  summary: 'End every lease of an agent, tenant, service or mode',
  access: 'identified',
  planes: ['machine', 'human'],
  body: {
    type: 'application/json',
    schema: revocationFilter,
  },
  answers: {
    200: { description: 'How many ended, and how.', type: 'application/json', schema: bulkRevocation },
  },
}
