import type { Provider } from '../../../broker/index.ts'
import { type Clock, Failure } from '../../../primitives/index.ts'
import type { AwsConfig, AwsKeys } from './config.ts'
import { type Denials, keptUntil, readDenials, renderDenials } from './denials.ts'
import { errorOf, failureOf } from './errors.ts'
import type { Answer, Exchange } from './exchange.ts'
import { sessionSecondsMax } from './sts.ts'
import { parseXml, textAt } from './xml.ts'

/** All inline policies of a role together may have this many characters (IAM User Guide, "IAM and AWS STS quotas"). */
export const rolePolicyCharactersMax = 10_240

export type Revoking = {
  readonly config: AwsConfig
  readonly keys: () => AwsKeys
  readonly exchange: Exchange
  readonly clock: Clock
}

/**
 * Revokes by writing the lease id into one deny policy on the role: read, change, write, one at a time. What waits meanwhile is written
 * along. Denials of sessions that STS has forgotten are left out of each write. Throws `provider_policy_too_large` when the policy is
 * full; it has room again when older sessions are over.
 */
export function createRevoke(revoking: Revoking): Provider['revoke'] {
  const waiting = new Set<Waiting>()
  // IAM may for a while show an older policy than was written; what was written is not forgotten over that.
  let written: Denials = new Map()
  let turn: Promise<unknown> = Promise.resolve()

  async function write(own: Waiting, signal: AbortSignal): Promise<void> {
    if (own.written) return
    const found = await readPolicy(revoking, signal)
    const { denials, added } = wanted({ found, written, own, waiting, now: revoking.clock.now() })
    if (!holdsAll(found, denials)) await putPolicy(revoking, renderDenials(denials), signal)
    written = denials
    for (const each of added) each.written = true
  }

  return async ({ leaseId, providerNotAfter }, signal) => {
    if (!/^[\w+=,.@-]{2,64}$/.test(leaseId)) throw unnamed()
    const own: Waiting = {
      leaseId,
      until: deniedUntil(providerNotAfter, revoking.clock.now()),
      written: false,
    }
    if (own.until * 1000 <= revoking.clock.now()) return
    waiting.add(own)
    const mine = turn.then(() => write(own, signal)).finally(() => waiting.delete(own))
    turn = mine.catch(() => undefined)
    await mine
  }
}

type Waiting = { readonly leaseId: string; readonly until: number; written: boolean }

/** AWS and the broker may disagree about the time by as much as a signature tolerates. */
const clockSkewSeconds = 300

/** The second since 1970 until which a session may live; where its end is not known (0), as long as any session does. */
function deniedUntil(providerNotAfter: number, now: number): number {
  const end = providerNotAfter > 0 ? providerNotAfter / 1000 : now / 1000 + sessionSecondsMax
  return keptUntil(end + clockSkewSeconds)
}

type Change = {
  readonly found: Denials
  readonly written: Denials
  readonly own: Waiting
  readonly waiting: Iterable<Waiting>
  readonly now: number
}

/** The denials that must stand, with as many of those that wait as fit. */
function wanted({ found, written, own, waiting, now }: Change) {
  const alive = [...found, ...written].filter(([, until]) => until * 1000 > now)
  let denials = merged([...alive, [own.leaseId, own.until]])
  if (isTooLong(denials)) throw full()
  const added = [own]
  for (const other of waiting) {
    const more = merged([...denials, [other.leaseId, other.until]])
    if (isTooLong(more)) break
    denials = more
    added.push(other)
  }
  return { denials, added }
}

function merged(entries: Iterable<readonly [string, number]>): Denials {
  const denials = new Map<string, number>()
  for (const [leaseId, until] of entries) denials.set(leaseId, Math.max(until, denials.get(leaseId) ?? 0))
  return denials
}

function isTooLong(denials: Denials): boolean {
  return renderDenials(denials).length > rolePolicyCharactersMax
}

function holdsAll(found: Denials, denials: Denials): boolean {
  return [...denials].every(([leaseId, until]) => (found.get(leaseId) ?? 0) >= until)
}

async function readPolicy(revoking: Revoking, signal: AbortSignal): Promise<Denials> {
  const answer = await callIam(revoking, { Action: 'GetRolePolicy' }, signal)
  if (answer.status === 404 && errorOf(answer)?.code === 'NoSuchEntity') return new Map()
  if (answer.status !== 200) throw failureOf(answer, 'IAM')
  const document = textAt(parseXml(answer.text), ['GetRolePolicyResult', 'PolicyDocument'])
  return readDenials(urlDecoded(document))
}

/** IAM gives documents percent-encoded (RFC 3986). */
function urlDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

async function putPolicy(revoking: Revoking, document: string, signal: AbortSignal): Promise<void> {
  const answer = await callIam(revoking, { Action: 'PutRolePolicy', PolicyDocument: document }, signal)
  if (answer.status !== 200) throw failureOf(answer, 'IAM')
}

function callIam(
  { config, keys, exchange }: Revoking,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const { role, revocationPolicy, iamEndpoint } = config
  const named = { Version: '2010-05-08', RoleName: role.name, PolicyName: revocationPolicy, ...form }
  return exchange(
    { url: iamEndpoint, service: 'iam', region: role.partition.iamRegion, form: named },
    keys(),
    signal,
  )
}

function unnamed(): Failure {
  return new Failure(
    'provider_refused',
    'The lease id cannot be the name of a session, so there is none to revoke.',
  )
}

function full(): Failure {
  return new Failure(
    'provider_policy_too_large',
    `The policy that denies revoked sessions is full (${rolePolicyCharactersMax} characters).`,
    { next: 'It has room again when older revoked sessions are over; the broker tries again by itself.' },
  )
}
