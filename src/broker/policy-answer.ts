import { Failure } from '../primitives/index.ts'
import type { PolicyAnswer, PolicyReason } from './ports/index.ts'

const reasons: readonly PolicyReason[] = [
  'no_grant',
  'plane',
  'mode',
  'resource',
  'duration',
  'wildcard',
  'custom',
]

/**
 * Reads the document that an OPA bundle answered: `{allow: true, grant}` or `{allow: false, reason}` and nothing else, where a
 * reason of the bundle's own becomes `custom`. Throws `policy_unavailable` for anything else: half an answer is no answer.
 */
export function readPolicyAnswer(document: unknown): PolicyAnswer {
  const fields: Fields = typeof document === 'object' && document !== null ? document : {}
  const { allow, grant, reason } = fields
  const isPair = Object.keys(fields).length === 2
  if (isPair && allow === true && isWord(grant)) return { allow, grant }
  if (isPair && allow === false && isWord(reason)) {
    return { allow, reason: reasons.find((known) => known === reason) ?? 'custom' }
  }
  throw policyUnavailable('the answer is neither {allow: true, grant} nor {allow: false, reason}')
}

type Fields = { readonly allow?: unknown; readonly grant?: unknown; readonly reason?: unknown }

/** The one failure of a policy engine; `internal` is for the log alone. */
export function policyUnavailable(internal: string, cause?: unknown): Failure {
  return new Failure('policy_unavailable', 'Policy cannot decide now, so nothing is issued.', {
    internal,
    cause,
    next: 'try again later; the log of the broker says what is wrong with its policy engine',
  })
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
