import type { Place } from '../contract.ts'
import type { Located } from '../located.ts'
import { quote, type Report } from '../problem.ts'
import { claimsMax } from '../shape.ts'
import { type Names, namesIn, onLine, type Rule, requireKnown } from './reference.ts'

/** Every identity belongs to a tenant, is proven by what its plane allows, and shares no proof with another. */
export const identityRule: Rule = (root, report) => {
  const tenants = namesIn(root, 'tenants')
  const issuers = namesIn(root, 'issuers')
  const proofs: Proven[] = []
  refuseTwinIssuers(root, report)
  for (const [agent, identity] of root.at('identities')?.entries ?? []) {
    requireKnown(identity.at('tenant'), tenants, { noun: 'tenant', section: 'tenants' }, report)
    for (const proof of identity.at('proofs')?.items ?? []) {
      requireOwnPlane(identity, proof, report)
      requireIssuer(root, { identity, issuer: proof.at('token', 'issuer'), issuers }, report)
      proofs.push(...provenBy(root, agent, proof))
    }
  }
  refuseSharedProofs(proofs, report)
  refuseSharedClaims(proofs, report)
}

function requireOwnPlane(identity: Located, proof: Located, report: Report): void {
  if (identity.at('plane')?.text !== 'human') return
  for (const kind of ['spiffe', 'certificate', 'key']) {
    const found = proof.at(kind)
    if (found)
      report(
        found.keyPlace,
        `\`${kind}\` proves on the machine plane alone, and this identity is on the human plane.`,
        'prove it by a `token` of a human issuer, or move it to the machine plane',
      )
  }
}

function requireIssuer(
  root: Located,
  { identity, issuer, issuers }: { identity: Located; issuer: Located | undefined; issuers: Names },
  report: Report,
): void {
  const known = requireKnown(issuer, issuers, { noun: 'issuer', section: 'issuers' }, report)
  if (!known || issuer?.text === undefined) return
  const plane = root.at('issuers', issuer.text, 'plane')
  const wanted = identity.at('plane')?.text
  if (plane?.text === undefined || wanted === undefined || plane.text === wanted) return
  report(
    issuer.place,
    `The issuer ${issuer.text} (${onLine(plane.place)}) is on the ${plane.text} plane and this identity on the ${wanted} one; planes never cross.`,
    `name an issuer of the ${wanted} plane`,
  )
}

// Two of them would accept one token twice, on the same plane or, worse, on both.
function refuseTwinIssuers(root: Located, report: Report): void {
  const seen = new Map<string, { name: string; place: Place }>()
  for (const [name, issuer] of root.at('issuers')?.entries ?? []) {
    const url = issuer.at('issuer')
    const audience = issuer.at('audience')?.text
    if (url?.text === undefined || audience === undefined) continue
    const key = JSON.stringify([url.text, audience])
    const first = seen.get(key)
    if (!first) seen.set(key, { name, place: url.place })
    else
      report(
        url.place,
        `The issuers ${first.name} (${onLine(first.place)}) and ${name} accept the same tokens: issuer and audience are equal.`,
        'give each its own audience, or remove one',
      )
  }
}

type Proven = {
  readonly agent: string
  readonly place: Place
  /** Equal for proofs that one and the same evidence would satisfy. */
  readonly kind: string
  readonly claims: readonly (readonly [string, string])[]
}

function provenBy(root: Located, agent: string, proof: Located): readonly Proven[] {
  return [...proof.entries].flatMap(([kind, value]): readonly Proven[] => {
    if (kind !== 'token')
      return value.text === undefined
        ? []
        : [{ agent, place: value.place, kind: `${kind} ${value.text}`, claims: [] }]
    const issuer = value.at('issuer')?.text ?? ''
    // By URL, so that one person is not two identities through two audiences of one issuer.
    const url = root.at('issuers', issuer, 'issuer')?.text ?? issuer
    const claims = [...(value.at('claims')?.entries ?? [])].flatMap(([claim, node]): [string, string][] =>
      node.text === undefined ? [] : [[claim, node.text]],
    )
    if (claims.length === 0 || claims.length > claimsMax) return []
    return [{ agent, place: value.place, kind: `token ${url}`, claims }]
  })
}

function refuseSharedProofs(proofs: readonly Proven[], report: Report): void {
  const seen = new Map<string, Proven>()
  for (const proof of proofs) {
    if (proof.claims.length > 0) continue
    const first = seen.get(proof.kind)
    if (!first) seen.set(proof.kind, proof)
    else
      report(
        proof.place,
        `${sharers(first, proof)} have the same ${proof.kind.split(' ')[0]} as their proof.`,
        'give each identity a proof of its own',
      )
  }
}

// A token that satisfies the larger set of claims satisfies each smaller one in it. Looking up every subset (at most 2^claimsMax)
// keeps this linear in the number of identities.
function refuseSharedClaims(proofs: readonly Proven[], report: Report): void {
  const tokens = proofs.filter((proof) => proof.claims.length > 0)
  const byClaims = new Map<string, readonly Proven[]>()
  for (const proof of tokens) {
    const key = claimsKey(proof.kind, proof.claims)
    byClaims.set(key, [...(byClaims.get(key) ?? []).slice(0, 1), proof])
  }
  const visited = new Set<Proven>()
  for (const wide of tokens) {
    const narrow = subsets(wide.claims)
      .flatMap((claims) => byClaims.get(claimsKey(wide.kind, claims)) ?? [])
      .find((other) => other !== wide)
    // Of two equal ones the second is reported.
    const earlier = narrow && (narrow.claims.length < wide.claims.length || visited.has(narrow))
    visited.add(wide)
    if (narrow && earlier)
      report(
        wide.place,
        `${sharers(narrow, wide)} are proven by the same token: the claims of one are among those of the other.`,
        `give ${quote(narrow.agent)} a claim with a value that no other identity has`,
      )
  }
}

function sharers(first: Proven, second: Proven): string {
  return `The identities ${first.agent} (${onLine(first.place)}) and ${second.agent} (${onLine(second.place)})`
}

function claimsKey(kind: string, claims: readonly (readonly [string, string])[]): string {
  return JSON.stringify([kind, [...claims].sort(([left], [right]) => (left < right ? -1 : 1))])
}

function subsets<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const sets: Item[][] = [[]]
  for (const item of items) sets.push(...sets.map((set) => [...set, item]))
  return sets
}
