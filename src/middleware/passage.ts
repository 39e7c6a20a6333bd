import { type Admitted, identityHeaders, identityPrefix, type Refused } from '../planes/index.ts'

/** Who calls, as the handlers of a service see it. */
export type Passage = Pick<Admitted, 'plane' | 'subject'>

/** The parts of Node's own request that are needed; those of Express and Fastify have them. */
export type NodeRequest = {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: string[]
  readonly headers: Record<string, string | string[] | undefined>
}

/** Handlers that read headers, too, are told the truth, whatever the client wrote there. */
export function stampIdentity({ headers }: Pick<NodeRequest, 'headers'>, admitted: Admitted): void {
  for (const name of Object.keys(headers)) if (name.startsWith(identityPrefix)) delete headers[name]
  Object.assign(headers, identityHeaders(admitted))
}

/** A refusal as it goes out: the same words as the forward-auth endpoint has. */
export function answerOf({ status, body }: Refused) {
  return {
    status,
    body: JSON.stringify(body),
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    },
  }
}
