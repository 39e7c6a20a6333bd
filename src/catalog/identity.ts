import { readFile } from 'node:fs/promises'
import { type CertificateReading, readCertificate } from '../adapters/identity/certificate/index.ts'
import { type KnownKey, verifyMachineKey } from '../adapters/identity/machine-key/index.ts'
import {
  createTokenVerifier,
  type KeySetLimits,
  type TokenReading,
} from '../adapters/identity/token/index.ts'
import type { Caller, Evidence, Identified, Identifier, IdentityRefused } from '../broker/index.ts'
import { type Contract, contractInvalid, type IdentityEntry, type Proof } from '../contract/index.ts'
import type { Clock, FailureCode } from '../primitives/index.ts'

export {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../adapters/identity/certificate/index.ts'
export { createMachineKey, machineKeyPattern } from '../adapters/identity/machine-key/index.ts'

/**
 * Client certificates, tokens and machine keys as one Identifier. Every piece of evidence must hold, belong to the plane and name the
 * same identity: a good certificate does not make up for a bad token. Throws `contract_invalid` for an issuer that is not safe.
 */
export function createIdentifier(options: {
  readonly contract: Contract
  readonly clock: Clock
  /** Authorities of the issuers' own TLS certificates, by the issuer's name; see `readIssuerAuthorities`. */
  readonly caPem?: ReadonlyMap<string, string>
  readonly limits?: Partial<KeySetLimits>
}): Identifier {
  const { contract, clock, caPem = new Map(), limits = {} } = options
  const roster = createRoster(contract)
  const tokens = createTokenVerifier({ contract, caPem, clock, limits })
  return {
    async identify(evidence, signal) {
      const token = evidence.bearer && (await tokens.verify(evidence.bearer, signal))
      const crossed = crossing(evidence, token)
      if (crossed) return crossed
      if (token?.kind === 'refused') return token
      const readings: Reading[] = []
      if (evidence.certificate) {
        const certificate = readCertificate(evidence.certificate, clock.now())
        if (certificate.kind === 'refused') return certificate
        readings.push(fromCertificate(certificate, roster))
      }
      if (token) readings.push(fromToken(token, roster))
      if (evidence.machineKey) {
        const key = verifyMachineKey(evidence.machineKey, roster.machineKeys)
        if (key.kind === 'refused') return key
        readings.push(fromMachineKey(key, roster))
      }
      return agree(evidence.plane, readings)
    },
  }
}

/** Reads the CA file of every issuer that has one. Throws `contract_invalid` for one that cannot be read. */
export async function readIssuerAuthorities(
  contract: Contract,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const authorities = new Map<string, string>()
  for (const { name, caFile, place } of contract.issuers.values()) {
    if (caFile === undefined) continue
    try {
      authorities.set(name, await readFile(caFile, { encoding: 'utf8', signal }))
    } catch {
      const message = `The CA file of issuer ${name}, ${caFile}, cannot be read.`
      throw contractInvalid(contract.file, [{ message, place, next: `Make ${caFile} readable.` }])
    }
  }
  return authorities
}

/** What one piece of evidence proves: the identities that the contract has for it, nearly always one. */
type Reading = {
  readonly method: Caller['method']
  readonly subject: string
  readonly identities: readonly IdentityEntry[]
  /** Why nobody is known by it, when that is not simply `identity_unknown`. */
  readonly otherwise?: IdentityRefused
  readonly certificateSha256?: string
  /** The certificate that must come with it. */
  readonly boundTo?: string
}

/**
 * Planes never cross. A key or a certificate is machine evidence by its kind, valid or not; a token is evidence of its issuer's plane
 * once it is verified. A person's token together with machine evidence is two callers at once, on either plane.
 */
function crossing(
  { plane, certificate, machineKey }: Evidence,
  token: TokenReading | IdentityRefused | undefined,
): IdentityRefused | undefined {
  const ofMachine = certificate !== undefined || machineKey !== undefined
  const tokenPlane = token?.kind === 'read' ? token.issuer.plane : undefined
  const subject = token?.subject
  if (tokenPlane === 'human' && ofMachine) return refused('identity_ambiguous', { subject })
  if (plane === 'human' && ofMachine) return refused('plane_crossed')
  return tokenPlane !== undefined && tokenPlane !== plane ? refused('plane_crossed', { subject }) : undefined
}

function agree(plane: Evidence['plane'], readings: readonly Reading[]): Identified {
  const [strongest] = readings
  if (!strongest) return refused('identity_missing')
  const { subject, method, certificateSha256 } = strongest
  const known: IdentityEntry[] = []
  for (const reading of readings) {
    const identities = reading.identities.filter((entry) => entry.plane === plane)
    if (identities.length === 0)
      return reading.otherwise ?? refused('identity_unknown', { subject: reading.subject })
    if (reading.boundTo !== undefined && reading.boundTo !== certificateSha256)
      return refused('identity_ambiguous', { subject: reading.subject })
    known.push(...identities)
  }
  const [first, ...others] = known
  if (!first) return refused('identity_unknown', { subject })
  if (others.some(({ tenant }) => tenant !== first.tenant)) return refused('tenant_conflict', { subject })
  if (others.some(({ agent }) => agent !== first.agent)) return refused('identity_ambiguous', { subject })
  const { tenant, agent, roles } = first
  const confirmation = certificateSha256 === undefined ? {} : { confirmation: { certificateSha256 } }
  return { kind: 'identified', caller: { plane, tenant, agent, roles, method, subject, ...confirmation } }
}

function fromCertificate(reading: CertificateReading, roster: Roster): Reading {
  const { spiffeId, sha256, subject, confirmation } = reading
  const bySpiffeId = spiffeId === undefined ? [] : (roster.spiffeIds.get(spiffeId) ?? [])
  return {
    method: 'certificate',
    subject,
    identities: [...bySpiffeId, ...(roster.certificates.get(sha256) ?? [])],
    ...(spiffeId === undefined && { otherwise: refused('certificate_without_identity', { subject }) }),
    certificateSha256: confirmation.certificateSha256,
  }
}

function fromToken({ issuer, claims, subject, certificateSha256 }: TokenReading, roster: Roster): Reading {
  const matching = candidates(roster, issuer.name, claims).filter((proof) => carries(claims, proof.claims))
  const identities = matching.map((proof) => proof.identity)
  return {
    method: 'token',
    subject,
    identities,
    ...(certificateSha256 !== undefined && { boundTo: certificateSha256 }),
  }
}

function fromMachineKey({ sha256, subject }: KnownKey, roster: Roster): Reading {
  return { method: 'machine-key', subject, identities: roster.machineKeys.get(sha256) ?? [] }
}

/** Proofs whose first claim the token carries, so that a token is not held against everybody who is in the contract. */
function candidates(
  roster: Roster,
  issuer: string,
  claims: Readonly<Record<string, unknown>>,
): readonly TokenProof[] {
  const byClaim = roster.tokens.get(issuer) ?? []
  return byClaim.flatMap(({ name, byValue }) => byValue.get(claims[name]) ?? [])
}

/** Top-level claims alone, by exact equality of strings. No claims at all prove nobody. */
function carries(
  claims: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  const pairs = Object.entries(wanted)
  return (
    pairs.length > 0 && pairs.every(([name, value]) => Object.hasOwn(claims, name) && claims[name] === value)
  )
}

/** The contract's proofs, by what is looked up. Digests are hexadecimal. */
type Roster = {
  readonly spiffeIds: ReadonlyMap<string, readonly IdentityEntry[]>
  readonly certificates: ReadonlyMap<string, readonly IdentityEntry[]>
  readonly machineKeys: ReadonlyMap<string, readonly IdentityEntry[]>
  /** By the issuer; for each claim that stands first in a proof, the proofs by its value. */
  readonly tokens: ReadonlyMap<string, readonly ClaimIndex[]>
}

type ClaimIndex = { readonly name: string; readonly byValue: ReadonlyMap<unknown, readonly TokenProof[]> }

type TokenProof = { readonly claims: Readonly<Record<string, string>>; readonly identity: IdentityEntry }

function createRoster(contract: Contract): Roster {
  const proofs = [...contract.identities.values()].flatMap((identity) =>
    identity.proofs.map((proof) => ({ proof, identity })),
  )
  const byKey = <Value>(pick: (proof: Proof, identity: IdentityEntry) => [string, Value] | undefined) => {
    const index = new Map<string, Value[]>()
    for (const { proof, identity } of proofs) {
      const [key, value] = pick(proof, identity) ?? []
      if (key === undefined || value === undefined) continue
      index.set(key, [...(index.get(key) ?? []), value])
    }
    return index
  }
  return {
    spiffeIds: byKey((proof, identity) => (proof.kind === 'spiffe' ? [proof.id, identity] : undefined)),
    certificates: byKey((proof, identity) =>
      proof.kind === 'certificate' ? [hexadecimal(proof.sha256), identity] : undefined,
    ),
    machineKeys: byKey((proof, identity) =>
      proof.kind === 'machine-key' ? [hexadecimal(proof.sha256), identity] : undefined,
    ),
    tokens: indexTokens(proofs),
  }
}

function indexTokens(
  proofs: readonly { readonly proof: Proof; readonly identity: IdentityEntry }[],
): Roster['tokens'] {
  const byIssuer = new Map<string, Map<string, Map<unknown, TokenProof[]>>>()
  for (const { proof, identity } of proofs) {
    const [name, value] = proof.kind === 'token' ? (Object.entries(proof.claims)[0] ?? []) : []
    if (proof.kind !== 'token' || name === undefined) continue
    const byClaim = byIssuer.get(proof.issuer) ?? new Map<string, Map<unknown, TokenProof[]>>()
    const byValue = byClaim.get(name) ?? new Map<unknown, TokenProof[]>()
    byValue.set(value, [...(byValue.get(value) ?? []), { claims: proof.claims, identity }])
    byIssuer.set(proof.issuer, byClaim.set(name, byValue))
  }
  return new Map(
    [...byIssuer].map(([issuer, byClaim]) => [
      issuer,
      [...byClaim].map(([name, byValue]) => ({ name, byValue })),
    ]),
  )
}

function hexadecimal(digest: string): string {
  return digest.replace(/^sha256:/, '').toLowerCase()
}

function refused(
  code: FailureCode & keyof typeof messages,
  detail: { readonly subject?: string | undefined } = {},
): IdentityRefused {
  const { subject } = detail
  return { kind: 'refused', code, message: messages[code], ...(subject !== undefined && { subject }) }
}

const messages = {
  certificate_without_identity:
    'The client certificate carries no single SPIFFE ID, and its fingerprint is not known.',
  identity_ambiguous: 'What was shown does not name one and the same identity.',
  identity_missing: 'Nothing was shown that proves who calls.',
  identity_unknown: 'What was shown is valid, but the contract names nobody whom it proves.',
  plane_crossed: 'What was shown belongs to the other plane.',
  tenant_conflict: 'What was shown names two different tenants.',
} as const
