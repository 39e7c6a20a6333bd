import type { Capabilities, Minted, MintOrder } from '../../../broker/index.ts'
import { fillTemplate } from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { readAnswer } from './answer.ts'
import type { ScopeMeans } from './scope.ts'

/** The last second that RFC 3339 can write: nothing is known to end it. */
const never = Date.UTC(9999, 11, 31, 23, 59, 59)

/** How far the provider's clock may be ahead of ours before its expiry counts as later than asked. */
const skewMilliseconds = 5_000

export type MintedContext = {
  readonly order: MintOrder
  readonly means: ScopeMeans
  /** When the answer came, in milliseconds since 1970. */
  readonly answeredAt: number
  readonly askedSeconds: number
  readonly capabilities: Capabilities
}

/** Reads what the object gave. Throws `provider_answer_invalid`; what it minted can then be revoked by its lease id. */
export function mintedFrom(given: unknown, context: MintedContext): Minted {
  const { order, means, capabilities } = context
  const answer = readAnswer(given)
  if (!answer) throw invalid('The provider gave no secret in a shape that is known.')
  if (answer.tokenId === undefined && capabilities.revocation !== 'none')
    throw invalid('The provider gave no id by which it could be revoked.')
  const providerNotAfter = forgottenAt(answer.expiresAt, context)
  return {
    credential: { type: 'custom', fields: answer.fields },
    handle: answer.tokenId ?? order.leaseId,
    effective: { actions: [means.action], resources: [fillTemplate(means.resource, order.parts)] },
    notAfter: Math.min(order.notAfter, providerNotAfter),
    providerNotAfter,
    enforcedBy: enforcement(capabilities),
  }
}

function forgottenAt(expiresAt: number | undefined, context: MintedContext): number {
  const { answeredAt, askedSeconds, capabilities } = context
  // Its seconds count from when it was asked, which is before it answered.
  const latest = answeredAt + askedSeconds * 1000
  if (expiresAt === undefined) return capabilities.endsByItself ? latest : never
  if (expiresAt <= answeredAt) throw invalid('The provider gave a secret that is over already.')
  if (capabilities.endsByItself && expiresAt > latest + skewMilliseconds)
    throw invalid('The provider gave a secret that lives longer than was asked.')
  return expiresAt
}

function enforcement(capabilities: Capabilities): string {
  if (capabilities.endsByItself) return 'provider-expiry'
  return capabilities.revocation === 'none' ? 'nothing' : 'revoked-by-broker'
}

function invalid(message: string): Failure {
  return new Failure('provider_answer_invalid', message)
}
