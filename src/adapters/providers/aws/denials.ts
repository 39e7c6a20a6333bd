import { z } from 'zod'
import { malformed } from './xml.ts'

/** Lease ids whose sessions are denied, each with the second since 1970 until which it must stay so. */
export type Denials = ReadonlyMap<string, number>

/** Denials are grouped by expiry, rounded up to this, so that one statement serves many. */
const groupSeconds = 600

/** A denial's expiry as it is kept: never earlier than given. */
export function keptUntil(seconds: number): number {
  return Math.ceil(seconds / groupSeconds) * groupSeconds
}

/**
 * The inline policy that denies everything to the sessions that bear one of the lease ids. A session's `aws:userid` is
 * `<role id>:<session name>` (IAM User Guide, "Principal key values"); the expiry of a group stands in its Sid.
 */
export function renderDenials(denials: Denials): string {
  const groups = Map.groupBy(denials, ([, until]) => keptUntil(until))
  const statements = [...groups].map(([until, group]) => ({
    Sid: `Until${until}`,
    Effect: 'Deny',
    Action: '*',
    Resource: '*',
    Condition: { StringLike: { 'aws:userid': group.map(([leaseId]) => `*:${leaseId}`) } },
  }))
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** Reads what `renderDenials` wrote. Throws `provider_answer_invalid` for anything else: a policy of somebody's own is never overwritten. */
export function readDenials(text: string): Denials {
  const read = policy.safeParse(parseJson(text))
  if (!read.success) throw malformed('the revocation policy on the role is not one that this broker wrote')
  const denials = new Map<string, number>()
  for (const { Sid, Condition } of read.data.Statement)
    for (const pattern of Condition.StringLike['aws:userid'])
      denials.set(
        pattern.slice(2),
        Math.max(denials.get(pattern.slice(2)) ?? 0, Number(Sid.slice('Until'.length))),
      )
  return denials
}

const policy = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(
    z.strictObject({
      Sid: z.string().regex(/^Until[0-9]{1,12}$/),
      Effect: z.literal('Deny'),
      Action: z.literal('*'),
      Resource: z.literal('*'),
      Condition: z.strictObject({
        StringLike: z.strictObject({ 'aws:userid': z.array(z.string().regex(/^\*:[\w+=,.@-]{2,64}$/)) }),
      }),
    }),
  ),
})

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
