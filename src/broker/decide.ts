import type { Decision } from './decision.ts'
import { deny } from './denial.ts'
import { denyUnknownReference } from './reference.ts'
import { type Inquiry, rule } from './ruling.ts'

/**
 * Decides one request: the ceiling of the contract first, then policy. A denial names rule, place and remedy. A duration that was
 * asked is given or denied, never cut; without one the answer is the contract's default, or the longest that mode and grant allow
 * when that is less. Throws `policy_unavailable` when policy cannot answer; nothing may be minted then.
 */
export async function decide(inquiry: Inquiry): Promise<Decision> {
  const unknown = denyUnknownReference(inquiry.contract, inquiry.request)
  if (unknown) return unknown
  const ruling = await rule(inquiry)
  return ruling.kind === 'allowed' ? ruling : deny(inquiry, ruling)
}
