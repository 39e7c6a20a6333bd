import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { createTokenVerifier, type TokenVerifier } from '../adapters/identity/token/index.ts'
import { algorithms, type Contract, type Issuer, resolveMode } from '../contract/index.ts'
import {
  type Checked,
  type CredentialCheck,
  createGatekeeper,
  createPlaneMap,
  type Gatekeeper,
  headerOf,
  type PlaneMap,
} from '../planes/index.ts'
import { type Clock, Failure, type FailureCode, Secret, sha256Hex } from '../primitives/index.ts'
import { readIssuerAuthorities } from './identity.ts'
import { createProvenTokens } from './proven-tokens.ts'

/** The planes of the user's own service, in the one mode that this process is in. */
export type OpenedPlanes = {
  readonly mode: string
  readonly map: PlaneMap
  readonly gatekeeper: Gatekeeper
  /** How many keys are known of each open plane, and which issuer's tokens it takes: for people at start. */
  readonly credentials: ReadonlyMap<string, string>
}

/** A shorter key can be guessed from its hash, so it is refused whatever hashes are known; a longer one is not looked up. */
export const planeKeyCharacters = { min: 20, max: 512 } as const

/**
 * Reads who is trusted, and fails before anything is served: without a mode (`mode_unmatched`), with an issuer that nobody describes, a key
 * of a plane that takes none, or a trust file that cannot be read (`option_invalid`).
 */
export async function openPlanes(options: {
  readonly contract: Contract
  /** The variables of the process: discriminators, and those that enable a plane. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** A JSON file with issuers and hashes of keys that the contract does not have; see `docs/planes.md`. */
  readonly trustFile?: string
  readonly clock: Clock
}): Promise<OpenedPlanes> {
  const { contract, variables, clock } = options
  const mode = resolveMode(contract, variables).name
  const map = createPlaneMap({ contract, mode, variables })
  const trust = options.trustFile === undefined ? noTrust : readTrust(options.trustFile)
  const issuers = trustedIssuers(contract, trust, map)
  const keys = knownKeys(contract, trust, map)
  const trusted = {
    ...contract,
    issuers: new Map([...issuers.values()].map((issuer) => [issuer.name, issuer])),
  }
  const caPem = await readIssuerAuthorities(trusted, AbortSignal.timeout(startMilliseconds))
  const planeOfIssuer = new Map([...issuers].map(([plane, { name }]) => [name, plane]))
  const tokens = createTokenVerifier({ contract: trusted, caPem, clock })
  const check = createCheck({ tokens, planeOfIssuer, keys, clock })
  return { mode, map, gatekeeper: createGatekeeper({ map, check }), credentials: told(map, issuers, keys) }
}

const startMilliseconds = 5_000

/** Header to digest of a key to whose it is. */
type KnownKeys = ReadonlyMap<string, ReadonlyMap<string, Checked>>

type Known = {
  readonly tokens: TokenVerifier
  readonly planeOfIssuer: ReadonlyMap<string, string>
  readonly keys: KnownKeys
  readonly clock: Clock
}

function createCheck(known: Known): CredentialCheck {
  const patience = createPatience()
  const proven = createProvenTokens<Checked>(known.clock)
  return {
    check({ header, value }) {
      // Attacker-controlled, and perhaps a secret: nothing of it is kept or told.
      const text = value.reveal()
      if (header !== 'authorization') return checkKey(text, known.keys.get(header))
      const token = /^Bearer +([^\s,]+) *$/i.exec(text)?.[1]
      if (token === undefined) return refused('token_malformed')
      const digest = sha256Hex(token)
      const keep = (proof: Checked, until: number) => proven.keep(digest, proof, until)
      return proven.find(digest) ?? checkToken(token, { ...known, keep, signal: patience() })
    },
  }
}

function checkKey(key: string, keys: ReadonlyMap<string, Checked> | undefined): Checked {
  const { min, max } = planeKeyCharacters
  const known = key.length >= min && key.length <= max ? keys?.get(sha256Hex(key)) : undefined
  return known ?? refused('machine_key_invalid')
}

async function checkToken(
  token: string,
  known: Known & {
    readonly keep: (proof: Checked, untilSeconds: number) => void
    readonly signal: AbortSignal
  },
): Promise<Checked> {
  const read = await known.tokens.verify(new Secret(token), known.signal)
  if (read.kind === 'refused') return refused(read.code)
  // Bound to a certificate that cannot be seen behind a proxy, so it is nobody's here.
  if (read.certificateSha256 !== undefined) return refused('token_malformed')
  const { issuer, claims, subject } = read
  const plane = known.planeOfIssuer.get(issuer.name)
  if (plane === undefined) return refused('token_issuer_unknown')
  const checked: Checked = { kind: 'proven', plane, subject }
  const { exp, iat } = claims
  if (typeof exp === 'number' && typeof iat === 'number')
    known.keep(checked, Math.min(exp, iat + issuer.maxAgeSeconds))
  return checked
}

/** How long keys of an issuer are waited for. One signal serves all who ask within a second: a timer a request costs more than the rest. */
function createPatience(): () => AbortSignal {
  const [milliseconds, sharedMilliseconds] = [4_000, 1_000]
  let signal: AbortSignal | undefined
  let until = 0
  return () => {
    const now = performance.now()
    if (signal === undefined || now >= until) {
      signal = AbortSignal.timeout(milliseconds)
      until = now + sharedMilliseconds
    }
    return signal
  }
}

function refused(code: FailureCode): Checked {
  return { kind: 'refused', code }
}

/** The issuer of each open plane that takes tokens, by plane. */
function trustedIssuers(contract: Contract, trust: Trust, { open }: PlaneMap): ReadonlyMap<string, Issuer> {
  const issuers = new Map<string, Issuer>()
  for (const [name] of Object.entries(trust.issuers))
    if (contract.issuers.has(name))
      throw invalid(`The issuer ${name} stands in the contract and in the trust file.`)
  for (const { name: plane, scheme, place } of open.values()) {
    if (scheme.type !== 'http') continue
    const name = scheme.issuer
    if (name === undefined) throw invalid(`The plane ${plane} takes tokens and names no issuer.`)
    if ([...issuers.values()].some((other) => other.name === name))
      throw invalid(`Two planes take tokens of the issuer ${name}, so its tokens prove neither.`)
    const written = trust.issuers[name]
    const issuer =
      contract.issuers.get(name) ?? (written && { ...written, name, plane: 'human' as const, place })
    if (!issuer)
      throw invalid(
        `The plane ${plane} takes tokens of ${name}, and nothing says who that is.`,
        describe(name),
      )
    issuers.set(plane, issuer)
  }
  return issuers
}

function knownKeys(contract: Contract, trust: Trust, { open }: PlaneMap): KnownKeys {
  const keys = new Map<string, Map<string, Checked>>()
  const add = (plane: string, subject: string, digest: string) => {
    const rules = open.get(plane)
    const header = rules && headerOf(rules)
    if (header === undefined) return
    const ofHeader = keys.get(header) ?? new Map<string, Checked>()
    if (ofHeader.has(digest)) throw invalid(`The key of ${subject} is the key of somebody else, too.`)
    keys.set(header, ofHeader.set(digest, { kind: 'proven', plane, subject }))
  }
  for (const [plane, named] of Object.entries(trust.keys)) {
    if (contract.environment?.planes.get(plane)?.scheme.type !== 'apiKey')
      throw invalid(`The trust file has keys of the plane ${plane}, which takes none.`)
    for (const [subject, digest] of Object.entries(named)) add(plane, subject, digest.slice('sha256:'.length))
  }
  for (const { agent, tenant, plane, proofs } of contract.identities.values())
    for (const proof of proofs)
      if (proof.kind === 'machine-key') add(plane, `${tenant}/${agent}`, proof.sha256.replace(/^sha256:/, ''))
  return keys
}

function told(
  map: PlaneMap,
  issuers: ReadonlyMap<string, Issuer>,
  keys: KnownKeys,
): ReadonlyMap<string, string> {
  return new Map(
    [...map.open.values()].map((plane) => {
      const issuer = issuers.get(plane.name)
      if (issuer) return [plane.name, `tokens of ${issuer.issuer}`]
      const known = [...(keys.get(headerOf(plane) ?? '')?.values() ?? [])]
      const own = known.filter((key) => key.kind === 'proven' && key.plane === plane.name)
      return [plane.name, own.length === 1 ? '1 key' : `${own.length} keys`]
    }),
  )
}

/** A header of the back end's request will hold it. */
const subjectName = z.string().regex(/^[\x21-\x7e]{1,128}$/)
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const httpsUrl = z
  .url()
  .refine((url) => /^https:|^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(`${url}/`))

const trustShape = z.strictObject({
  issuers: z
    .record(
      z.string(),
      z.strictObject({
        issuer: httpsUrl,
        audience: z.string().min(1).max(1024),
        algorithms: z.array(z.enum(algorithms)).min(1),
        jwksUri: httpsUrl.exactOptional(),
        caFile: z.string().min(1).exactOptional(),
        clockSkewSeconds: z.int().min(0).max(300).default(30),
        maxAgeSeconds: z.int().min(1).max(86_400).default(3600),
      }),
    )
    .default({}),
  keys: z.record(z.string(), z.record(subjectName, digest)).default({}),
})

type Trust = z.output<typeof trustShape>
const noTrust: Trust = { issuers: {}, keys: {} }
/** About twenty thousand keys. */
const trustBytesMax = 2 * 1024 * 1024

function readTrust(file: string): Trust {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw invalid(`The trust file ${file} cannot be read.`, undefined, cause)
  }
  if (Buffer.byteLength(text) > trustBytesMax)
    throw invalid(`The trust file ${file} is larger than ${trustBytesMax} bytes.`)
  try {
    return trustShape.parse(JSON.parse(text))
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : []
    const where = issue ? ` at ${issue.path.join('.') || 'its top'}` : ': it is no JSON'
    throw invalid(`The trust file ${file} is not valid${where}.`, undefined, cause)
  }
}

function describe(issuer: string): string {
  return `name a file with issuers.${issuer} by --trust, such as examples/fastapi-backend/planes.json; docs/planes.md, "Who is trusted"`
}

function invalid(message: string, next = 'see docs/planes.md, "Who is trusted"', cause?: unknown): Failure {
  return new Failure('option_invalid', message, { cause, next })
}
