import type { Issuer } from '../../../contract/index.ts'
import { documentUrl, fetchDocument } from './document.ts'
import { isJsonObject, type JsonObject } from './json.ts'

/** No issuer publishes more keys than this. */
export const keysMax = 100

/** Fetches the keys that the issuer publishes now. Rejects with an `Error` for the log when that is not possible. */
export type KeySource = (signal: AbortSignal) => Promise<readonly JsonObject[]>

/** Where the search for the issuer's keys starts: `jwksUri`, or its discovery document; `undefined` when that is no safe address. */
export function keyAddress({ issuer, jwksUri }: Issuer): URL | undefined {
  return documentUrl(jwksUri ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
}

export function createKeySource(options: {
  readonly issuer: Issuer
  readonly start: URL
  readonly caPem: string | undefined
}): KeySource {
  const { issuer, start, caPem } = options
  return async (signal) => {
    const url = issuer.jwksUri === undefined ? await discover({ ...options, signal }) : start
    const { keys } = await fetchDocument({ url, caPem, signal })
    if (!Array.isArray(keys) || keys.length > keysMax)
      throw new Error(`${url.href} holds no list of at most ${keysMax} keys.`)
    return keys.filter(isJsonObject)
  }
}

/** OpenID Connect Discovery 1.0 §4.3: the document's `issuer` must be the one that was asked for. */
async function discover(options: {
  readonly issuer: Issuer
  readonly start: URL
  readonly caPem: string | undefined
  readonly signal: AbortSignal
}): Promise<URL> {
  const { issuer, start, caPem, signal } = options
  const document = await fetchDocument({ url: start, caPem, signal })
  if (document['issuer'] !== issuer.issuer) throw new Error(`${start.href} speaks for another issuer.`)
  const address = document['jwks_uri']
  const url = typeof address === 'string' ? documentUrl(address) : undefined
  // A document fetched with https must not send the broker to a plain port of its own machine.
  if (!url || (url.protocol === 'http:' && start.protocol === 'https:'))
    throw new Error(`${start.href} names no safe jwks_uri.`)
  return url
}
