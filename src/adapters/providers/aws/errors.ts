import { Failure } from '../../../primitives/index.ts'
import type { Answer } from './exchange.ts'
import { findText, malformed, parseXml } from './xml.ts'

/** What AWS says when it says no; `Code` and `Message` of its error document. Upstream words are for the log alone. */
export type AwsError = { readonly code: string; readonly message: string }

/** The error document of an answer (query APIs wrap it in `ErrorResponse`, S3 does not), or `undefined` when there is none. */
export function errorOf(answer: Answer): AwsError | undefined {
  try {
    const root = parseXml(answer.text)
    const path = root.name === 'ErrorResponse' ? ['Error'] : []
    const code = findText(root, [...path, 'Code'])
    return code ? { code, message: findText(root, [...path, 'Message']) ?? '' } : undefined
  } catch {
    return undefined
  }
}

/** The failure that an answer other than 200 is, by the port's codes. */
export function failureOf(answer: Answer, service: 'STS' | 'IAM' | 'S3'): Failure {
  const error = errorOf(answer)
  const internal = `${service} ${answer.status} ${error ? `${error.code}: ${error.message.slice(0, 500)}` : 'without an error document'}`
  if (answer.status === 429 || (error && throttles.has(error.code)))
    return new Failure('provider_throttled', `AWS ${service} asks to be called less often.`, {
      internal,
      ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
    })
  if (answer.status >= 500)
    return new Failure('provider_unreachable', `AWS ${service} is failing.`, { internal })
  if (!error || answer.status < 400) return malformed(internal)
  if (tooLarge.has(error.code))
    return new Failure('provider_policy_too_large', `AWS ${service} says that the policy is too large.`, {
      internal,
    })
  const next = remedies[error.code]
  return new Failure('provider_refused', `AWS ${service} refused.`, { internal, ...(next ? { next } : {}) })
}

const throttles: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'BandwidthLimitExceeded',
  'SlowDown',
])

/** STS counts a packed size of its own; IAM counts all inline policies of a role together. */
const tooLarge: ReadonlySet<string> = new Set(['PackedPolicyTooLarge', 'LimitExceeded'])

const renewKeys = "Renew the broker's own AWS credentials."

const remedies: Readonly<Record<string, string>> = {
  AccessDenied: "Compare the role's trust policy and the broker's permissions with docs/providers/aws.md.",
  ValidationError:
    "Read AWS's words in the broker's log; most often the time is longer than the role's longest session.",
  MalformedPolicyDocument: 'Mend what the action means in the contract.',
  ExpiredToken: renewKeys,
  InvalidClientTokenId: renewKeys,
  SignatureDoesNotMatch: renewKeys,
  RequestExpired: "Set the broker's clock.",
  RegionDisabledException: 'Enable STS in that region, or name another one.',
}
