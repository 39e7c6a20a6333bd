import type { IdentityRefused } from '../../../broker/index.ts'
import { algorithms, type Contract, contractInvalid, type Issuer } from '../../../contract/index.ts'
import type { Clock, FailureCode, Secret } from '../../../primitives/index.ts'
import { isTokenFlaw, type TokenFlaw, tokenFlaws } from './flaw.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import { createKeySet, type KeySet, type KeySetLimits, keySetLimits } from './key-set.ts'
import { createKeySource, keyAddress } from './key-source.ts'
import { type ParsedToken, parseToken, tokenBytesMax } from './parse.ts'
import { signatureHolds } from './signature.ts'

/** A token whose signature, issuer, audience and time hold now. */
export type TokenReading = {
  readonly kind: 'read'
  readonly issuer: Issuer
  readonly claims: JsonObject
  /** `issuer#sub`, printable. */
  readonly subject: string
  /** The certificate that the token is bound to (RFC 8705 §3.1): it counts only together with that certificate. */
  readonly certificateSha256?: string
}

export interface TokenVerifier {
  /**
   * Refuses with one of the `token_…` codes, or with `issuer_unavailable` when the keys are not to be had. Never rejects. The issuer is
   * chosen before anything is fetched, so a token cannot make the broker talk to somebody whom the contract does not name.
   */
  verify(token: Secret, signal: AbortSignal): Promise<TokenReading | IdentityRefused>
}

/** Throws `contract_invalid` for an issuer that cannot be trusted safely. `caPem` is by the issuer's name. */
export function createTokenVerifier(options: {
  readonly contract: Pick<Contract, 'file' | 'issuers'>
  readonly caPem: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly limits?: Partial<KeySetLimits>
}): TokenVerifier {
  const trusted = trustIssuers(options)
  return {
    async verify(token, signal) {
      // Attacker-controlled until the signature is verified.
      const text = token.reveal()
      if (Buffer.byteLength(text) > tokenBytesMax) return refused('token_too_large')
      const parsed = parseToken(text)
      if (typeof parsed === 'string') return refused(parsed)
      const chosen = chooseIssuer(trusted, parsed)
      if (typeof chosen === 'string') return refused(chosen)
      const code = await verifySignature({ text, parsed, chosen, signal })
      return code ?? readClaims(parsed.claims, chosen.issuer, options.clock.now() / 1000)
    },
  }
}

type TrustedIssuer = { readonly issuer: Issuer; readonly keys: KeySet }

function trustIssuers(options: Parameters<typeof createTokenVerifier>[0]): readonly TrustedIssuer[] {
  const { contract, clock } = options
  const limits = { ...keySetLimits, ...options.limits }
  const seen = new Set<string>()
  return [...contract.issuers.values()].map((issuer) => {
    const caPem = options.caPem.get(issuer.name)
    const start = keyAddress(issuer)
    const identity = JSON.stringify([issuer.issuer, issuer.audience])
    const problem = seen.has(identity)
      ? 'has the address and audience of another one'
      : problemOf(issuer, caPem)
    if (problem !== undefined || !start) {
      const message = `Issuer ${issuer.name} ${problem ?? 'has no address with https for its keys'}.`
      throw contractInvalid(contract.file, [{ message, place: issuer.place }])
    }
    seen.add(identity)
    return {
      issuer,
      keys: createKeySet({ source: createKeySource({ issuer, start, caPem }), clock, limits }),
    }
  })
}

/** The parser refuses most of these too; a contract that was made in another way must not be trusted more. */
function problemOf(issuer: Issuer, caPem: string | undefined): string | undefined {
  const allowed: readonly string[] = algorithms
  if (issuer.algorithms.length === 0) return 'names no algorithm'
  if (!issuer.algorithms.every((algorithm) => allowed.includes(algorithm)))
    return 'names an algorithm without a public key'
  return issuer.caFile !== undefined && caPem === undefined ? 'has a CA file that was not read' : undefined
}

/** One address may stand for two planes with an audience each; a token for both at once is for neither. */
function chooseIssuer(trusted: readonly TrustedIssuer[], parsed: ParsedToken): TrustedIssuer | TokenCode {
  const candidates = trusted.filter(({ issuer }) => issuer.issuer === parsed.issuer)
  const [meant, ...others] = candidates.filter(({ issuer }) => hasAudience(parsed.claims, issuer.audience))
  if (others.length > 0) return 'token_audience_wrong'
  return meant ?? candidates[0] ?? 'token_issuer_unknown'
}

function hasAudience({ aud }: JsonObject, audience: string): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience))
}

async function verifySignature(options: {
  readonly text: string
  readonly parsed: ParsedToken
  readonly chosen: TrustedIssuer
  readonly signal: AbortSignal
}): Promise<IdentityRefused | undefined> {
  const { text, parsed, chosen, signal } = options
  const { algorithm, keyId } = parsed
  if (!chosen.issuer.algorithms.includes(algorithm)) return refused('token_algorithm_refused')
  const search = await chosen.keys.find({ keyId, algorithm }, signal)
  if (search.kind === 'unknown') return refused('token_key_unknown')
  if (search.kind === 'unavailable')
    return refused('issuer_unavailable', { internal: `Issuer ${chosen.issuer.name}: ${search.internal}` })
  return signatureHolds(text, search.key, algorithm) ? undefined : refused('token_signature_invalid')
}

/** RFC 7519 §4.1: `exp` and `iat` are required here, since without them neither end nor age is known. */
function readClaims(claims: JsonObject, issuer: Issuer, now: number): TokenReading | IdentityRefused {
  const subject = printable(
    typeof claims['sub'] === 'string' ? `${issuer.issuer}#${claims['sub']}` : issuer.issuer,
  )
  const problem = claimProblem(claims, issuer, now)
  if (problem) return refused(problem, { subject })
  const binding = readBinding(claims)
  if (binding === undefined) return refused('binding', { subject })
  return { kind: 'read', issuer, claims, subject, ...binding }
}

function claimProblem(claims: JsonObject, issuer: Issuer, now: number): TokenCode | TokenFlaw | undefined {
  const { exp, iat, nbf = Number.NEGATIVE_INFINITY } = claims
  const skew = issuer.clockSkewSeconds
  if (!hasAudience(claims, issuer.audience)) return 'token_audience_wrong'
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number') return 'times'
  if (now >= exp + skew) return 'token_expired'
  if (now < nbf - skew) return 'token_not_yet_valid'
  if (now < iat - skew) return 'token_issued_in_future'
  return now > iat + issuer.maxAgeSeconds + skew ? 'token_too_old' : undefined
}

/** RFC 7800: a token that is bound to a key which the broker cannot check (`jkt`, `jwk`, …) is nobody's; `undefined`. */
function readBinding({ cnf }: JsonObject): { readonly certificateSha256?: string } | undefined {
  if (cnf === undefined) return {}
  const thumbprint = isJsonObject(cnf) && Object.keys(cnf).length === 1 ? cnf['x5t#S256'] : undefined
  return typeof thumbprint === 'string' && sha256Shape.test(thumbprint)
    ? { certificateSha256: thumbprint }
    : undefined
}

/** An empty text, above all, binds to nothing. */
const sha256Shape = /^[A-Za-z0-9_-]{43}$/

/** Issuers let their users choose parts of a subject; a log line must not be theirs to shape. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 512)
}

function refused(
  problem: TokenCode | TokenFlaw,
  detail: { readonly subject?: string; readonly internal?: string } = {},
): IdentityRefused {
  return isTokenFlaw(problem)
    ? { kind: 'refused', code: 'token_malformed', message: tokenFlaws[problem], ...detail }
    : { kind: 'refused', code: problem, message: messages[problem], ...detail }
}

type TokenCode = keyof typeof messages

const messages = {
  issuer_unavailable: 'The keys of the token’s issuer cannot be had now, so the token cannot be checked.',
  token_algorithm_refused: 'The contract does not allow this issuer the token’s signature algorithm.',
  token_audience_wrong: 'The token is for another audience.',
  token_expired: 'The token has expired.',
  token_issued_in_future: 'The token says that it was issued in the future.',
  token_issuer_unknown: 'The contract names no such issuer.',
  token_key_unknown: 'The issuer does not publish the key that the token names.',
  token_not_yet_valid: 'The token is not valid yet.',
  token_signature_invalid: 'The token’s signature does not hold.',
  token_too_large: `The token is longer than ${tokenBytesMax} bytes.`,
  token_too_old: 'The token is older than the contract allows, although it has not expired.',
} as const satisfies Partial<Record<FailureCode, string>>
