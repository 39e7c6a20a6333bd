import type { SQLInputValue } from 'node:sqlite'
import type { EndReason, Lease, LeaseState } from '../../../broker/index.ts'
import type { Plane } from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { type Row, readRow } from './row.ts'

/** The lease in a row of the table. Throws `store_invalid` for a row that none was written to. */
export function toLease(row: Row): Lease {
  const { text, integer, optionalText, optionalInteger } = readRow(row)
  return {
    id: text('id'),
    tenant: text('tenant'),
    agent: text('agent'),
    plane: oneOf(planes, text('plane')),
    mode: text('mode'),
    service: text('service'),
    action: text('action'),
    resource: text('resource'),
    provider: text('provider'),
    scope: text('scope'),
    grant: text('grant_id'),
    requestId: text('request_id'),
    state: oneOf(leaseStates, text('state')),
    createdAt: integer('created_at'),
    expiresAt: integer('expires_at'),
    providerExpiresAt: integer('provider_expires_at'),
    handle: text('handle'),
    requestDigest: text('request_digest'),
    endAttempts: integer('end_attempts'),
    ...defined('idempotencyKeyDigest', optionalText('idempotency_key_digest')),
    ...defined('endReason', optionalOneOf(endReasons, optionalText('end_reason'))),
    ...defined('endedAt', optionalInteger('ended_at')),
    ...defined('refusedAt', optionalInteger('refused_at')),
    ...defined('nextActionAt', optionalInteger('next_action_at')),
    ...defined('lastError', optionalText('last_error')),
  }
}

/** Writes a lease by its id. Its owner, request and time of creation are written once; its key can be let go of. */
export const writeLeaseSql = `
  INSERT INTO lease (
    id, tenant, agent, plane, mode, service, action, resource, provider, grant_id, request_id, request_digest,
    idempotency_key_digest, created_at, scope, state, expires_at, provider_expires_at, handle, end_reason, ended_at,
    refused_at, end_attempts, next_action_at, last_error
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    idempotency_key_digest = excluded.idempotency_key_digest, scope = excluded.scope, state = excluded.state, expires_at = excluded.expires_at,
    provider_expires_at = excluded.provider_expires_at, handle = excluded.handle, end_reason = excluded.end_reason,
    ended_at = excluded.ended_at, refused_at = excluded.refused_at, end_attempts = excluded.end_attempts,
    next_action_at = excluded.next_action_at, last_error = excluded.last_error`

/** The values of `writeLeaseSql`, in its order. */
export function leaseValues(lease: Lease): SQLInputValue[] {
  return [
    lease.id,
    lease.tenant,
    lease.agent,
    lease.plane,
    lease.mode,
    lease.service,
    lease.action,
    lease.resource,
    lease.provider,
    lease.grant,
    lease.requestId,
    lease.requestDigest,
    lease.idempotencyKeyDigest ?? null,
    lease.createdAt,
    lease.scope,
    lease.state,
    lease.expiresAt,
    lease.providerExpiresAt,
    lease.handle,
    lease.endReason ?? null,
    lease.endedAt ?? null,
    lease.refusedAt ?? null,
    lease.endAttempts,
    lease.nextActionAt ?? null,
    lease.lastError ?? null,
  ]
}

export const leaseStates: readonly LeaseState[] = ['intended', 'live', 'ending', 'ended', 'failed']
const endReasons: readonly EndReason[] = ['expired', 'revoked', 'orphaned', 'mint_failed']
const planes: readonly Plane[] = ['machine', 'human']

function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const found = words.find((word) => word === text)
  if (found) return found
  throw new Failure('store_invalid', 'The store is damaged.', { internal: `a lease has the word ${text}` })
}

function optionalOneOf<Word extends string>(
  words: readonly Word[],
  text: string | undefined,
): Word | undefined {
  return text === undefined ? undefined : oneOf(words, text)
}

function defined<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [key in Key]?: Value } | undefined {
  if (value === undefined) return undefined
  const field: { [key in Key]?: Value } = {}
  field[key] = value
  return field
}
