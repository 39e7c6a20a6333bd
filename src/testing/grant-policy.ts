import type { PolicyAnswer, PolicyEngine, PolicyQuestion } from '../broker/index.ts'
import { type Contract, type Grant, patternCovers } from '../contract/index.ts'

/**
 * A fake policy engine: the plainest reading of the contract's grants, one after the other and without OPA. It is what the compiled
 * policy is compared with, and it serves where a test needs decisions and not policy.
 */
export function createGrantPolicy(contract: Contract): PolicyEngine {
  return {
    revision: 'grant-policy fake',
    decide: async (question) => answer(contract.grants, question),
  }
}

function answer(grants: readonly Grant[], question: PolicyQuestion): PolicyAnswer {
  const named = [question.agent, question.service, question.action, question.resource]
  if (named.some((text) => /[*?[\]{}]/.test(text))) return { allow: false, reason: 'wildcard' }
  let left = grants.filter(
    (grant) =>
      grant.tenant === question.tenant &&
      grant.service === question.service &&
      grant.actions.includes(question.action) &&
      (grant.agents.includes('*') || grant.agents.includes(question.agent)),
  )
  if (left.length === 0) return { allow: false, reason: 'no_grant' }
  const checks = [
    ['plane', (grant: Grant) => grant.planes.includes(question.plane)],
    ['mode', (grant: Grant) => grant.modes.includes(question.mode)],
    ['resource', (grant: Grant) => grant.resources.some((one) => patternCovers(one, question.resource))],
    ['duration', (grant: Grant) => isWithin(question.duration_seconds, grant.maxDurationSeconds)],
  ] as const
  for (const [reason, passes] of checks) {
    left = left.filter(passes)
    if (left.length === 0) return { allow: false, reason }
  }
  return { allow: true, grant: left[0]?.id ?? '' }
}

function isWithin(seconds: number, maxSeconds: number): boolean {
  return seconds >= 1 && seconds <= maxSeconds
}
