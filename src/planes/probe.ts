import { type Contract, type Place, requireEnvironment, type Severity } from '../contract/index.ts'
import type { PlaneMap } from './map.ts'

/** One request that is tried at a running service. */
export type ProbeTry = {
  readonly path: string
  /** The glob or gate of the contract that it stands for; absent for a path that nobody names. */
  readonly endpoint?: string
  /** The plane of the endpoint. */
  readonly plane?: string
  /** Whose valid credential is shown; absent is none at all. */
  readonly shown?: string
  readonly expects: 'admitted' | 'refused' | 'the gate’s answer'
  readonly place?: Place
}

/** What came back; `body` is needed for gates alone. */
export type ProbeAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'failed'; readonly why: string }

export const probeRules = {
  'plane-crossed': 'A valid credential of one plane is accepted on an endpoint of another one.',
  unauthenticated: 'An endpoint of a plane answers without a credential.',
  'plane-closed': 'A credential is accepted that this mode forbids.',
  'gate-open': 'A gated feature does not give the answer that the contract has for this mode.',
  'unknown-endpoint': 'A path that no plane has is answered.',
  'right-refused': 'The right credential is refused, so nothing is known of the endpoint.',
  unclear: 'The answer does not tell whether the credential was accepted.',
} as const

export type ProbeFinding = {
  readonly rule: keyof typeof probeRules
  /** Absent where it could not be told. */
  readonly severity?: Severity
  readonly message: string
  readonly tried: ProbeTry
  /** Such as `403`, or why there was no answer. */
  readonly seen: string
  /** The prohibition that this breaks, and its reason. */
  readonly prohibition?: string
  readonly reason?: string
}

export type Probe = { readonly tried: ProbeTry; readonly answer: ProbeAnswer }

/** Stands where a glob has `*`: no real thing is meant. */
const sample = 'sallyport-probe'

/**
 * Every endpoint of the contract without a credential, with its own, and with each other plane's; the gates that are closed, and what they hide
 * of the planes; and one path that nobody names. `credentials` names the planes of which there is one. `paths` has a real path for a glob.
 */
export function planProbe(options: {
  readonly contract: Contract
  readonly map: PlaneMap
  readonly credentials: readonly string[]
  readonly paths?: ReadonlyMap<string, string>
}): readonly ProbeTry[] {
  const { contract, map, credentials, paths = new Map<string, string>() } = options
  const { planes, gates } = requireEnvironment(contract)
  const pathOf = (glob: string) => paths.get(glob) ?? glob.replaceAll('*', sample)
  const behindGate = (endpoint: string, place: Place) =>
    [undefined, ...credentials].map(
      (name): ProbeTry => ({
        path: pathOf(endpoint),
        endpoint,
        ...(name !== undefined && { shown: name }),
        expects: 'the gate’s answer',
        place,
      }),
    )
  const closed = [...gates.values()].filter(({ modes }) => !modes.includes(map.mode))
  const ofGates = closed.flatMap(({ endpoints, place }) =>
    [...endpoints.keys()].flatMap((endpoint) => behindGate(endpoint, place)),
  )
  const ofPlanes = [...planes.values()].flatMap(({ name: plane, endpoints, place }) =>
    endpoints.flatMap((endpoint) => {
      const path = pathOf(endpoint)
      const route = map.route('GET', path)
      if (route.kind === 'gated')
        return closed.some((gate) => gate.endpoints.has(endpoint)) ? [] : behindGate(endpoint, place)
      // What is left out here is told by `judgeProbe`.
      if (route.kind !== 'plane') return []
      // Its own first: what it is answered is what the others are held against.
      const shown = [
        ...credentials.filter((name) => name === plane),
        undefined,
        ...credentials.filter((name) => name !== plane),
      ]
      return shown.map((name): ProbeTry => {
        const expects = name !== undefined && route.accepts.has(name) ? 'admitted' : 'refused'
        return { path, endpoint, plane, ...(name !== undefined && { shown: name }), expects, place }
      })
    }),
  )
  return [...ofPlanes, ...ofGates, { path: `/${sample}/unknown`, expects: 'refused' }]
}

/** What the answers show, in the order of the tries, and which endpoints of planes had none: a crossing that was not tried must not look like none. */
export function judgeProbe(
  contract: Contract,
  map: PlaneMap,
  probes: readonly Probe[],
): readonly ProbeFinding[] {
  const judged = probes.flatMap((probe) => judge(contract, map, probe, ownAnswer(probe, probes)) ?? [])
  return [...judged, ...untried(contract, map, probes)]
}

function untried(contract: Contract, { mode }: PlaneMap, probes: readonly Probe[]): readonly ProbeFinding[] {
  const tried = new Set(probes.map((probe) => probe.tried.endpoint))
  return [...requireEnvironment(contract).planes.values()].flatMap(({ name: plane, endpoints, place }) =>
    endpoints
      .filter((endpoint) => !tried.has(endpoint))
      .map((endpoint) =>
        unclear(
          { path: endpoint, endpoint, plane, expects: 'refused', place },
          { why: `no request is of the plane ${plane} there in ${mode}`, seen: 'not tried' },
        ),
      ),
  )
}

function unclear(tried: ProbeTry, { why, seen }: { why: string; seen: string }): ProbeFinding {
  return { rule: 'unclear', message: `It cannot be told for ${tried.path}: ${why}.`, tried, seen }
}

/** What the plane's own credential was answered at the same endpoint. */
function ownAnswer({ tried }: Probe, probes: readonly Probe[]): ProbeAnswer | undefined {
  return probes.find(
    ({ tried: other }) =>
      other.endpoint === tried.endpoint && other.plane === tried.plane && other.shown === other.plane,
  )?.answer
}

function judge(
  contract: Contract,
  map: PlaneMap,
  probe: Probe,
  own: ProbeAnswer | undefined,
): ProbeFinding | undefined {
  const { tried, answer } = probe
  const seen = seenOf(answer)
  if (answer.kind === 'failed') return unclear(tried, { why: answer.why, seen })
  if (tried.expects === 'the gate’s answer') return judgeGate(map, tried, answer)
  const accepted = wasAccepted(answer.status, tried.plane === undefined ? 'nobody' : own)
  if (tried.expects === 'admitted') {
    if (accepted !== 'no') return undefined
    const message = `${credentialWords(contract, tried.shown)} refused on ${tried.plane} endpoint ${tried.endpoint}, which takes it.`
    return { rule: 'right-refused', message, tried, seen }
  }
  if (accepted === 'no') return undefined
  if (accepted === 'unclear')
    return unclear(tried, { why: `${answer.status} may be the answer to either`, seen })
  return crossing(contract, map, tried, seen)
}

/**
 * 401 and 403 refuse, 2xx accepts. Anything else, such as 404 of a thing that is not there, accepts where the right credential is
 * answered the same, and refuses where that one is answered otherwise. `nobody` has a right credential for a path that no plane has.
 */
function wasAccepted(status: number, own: ProbeAnswer | 'nobody' | undefined): 'yes' | 'no' | 'unclear' {
  if (status === 401 || status === 403) return 'no'
  if (status >= 200 && status < 300) return 'yes'
  if (status >= 500) return 'unclear'
  if (own === 'nobody') return status === 404 ? 'no' : 'unclear'
  if (own?.kind !== 'answered' || own.status === 401 || own.status === 403) return 'unclear'
  return own.status === status ? 'yes' : 'no'
}

function judgeGate(
  map: PlaneMap,
  tried: ProbeTry,
  answer: ProbeAnswer & { readonly kind: 'answered' },
): ProbeFinding | undefined {
  const route = map.route('GET', tried.path)
  if (route.kind !== 'gated')
    return unclear(tried, { why: `no gate that ${map.mode} closes has it`, seen: seenOf(answer) })
  const { status, body } = route.gate.otherwise
  if (answer.status === status && sameJson(answer.body, body)) return undefined
  const message = `Gated feature ${tried.path} answers ${answer.status} in ${map.mode}, not ${status} ${JSON.stringify(body)}.`
  const { reason, id } = route.gate
  const reached = answer.status >= 200 && answer.status < 300
  return {
    rule: 'gate-open',
    severity: reached ? 'high' : 'low',
    message,
    tried,
    seen: seenOf(answer),
    prohibition: id,
    reason,
  }
}

function sameJson(text: string, wanted: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(wanted)
  } catch {
    return false
  }
}

function crossing(contract: Contract, map: PlaneMap, tried: ProbeTry, seen: string): ProbeFinding {
  const { plane, shown, endpoint, path } = tried
  if (plane === undefined)
    return {
      rule: 'unknown-endpoint',
      severity: 'medium',
      message: `${path} is answered, and the contract has no such endpoint.`,
      tried,
      seen,
    }
  const what = credentialWords(contract, shown)
  const message = `${what} accepted on ${plane} endpoint ${endpoint}`
  if (shown === undefined) return { rule: 'unauthenticated', severity: 'security-bug', message, tried, seen }
  const { prohibitions, planes } = requireEnvironment(contract)
  const broken = [...prohibitions.values()].find(({ detectors }) =>
    detectors.some((one) => one.kind === 'probe' && one.plane === plane && one.with === shown),
  )
  if (broken)
    return {
      rule: 'plane-crossed',
      severity: broken.severity,
      message,
      tried,
      seen,
      prohibition: broken.id,
      reason: broken.reason,
    }
  const isClosed = !map.open.has(shown)
  const rejected = planes.get(plane)?.rejects.includes(shown) ?? false
  if (isClosed && !rejected)
    return {
      rule: 'plane-closed',
      severity: 'high',
      message: `${message}, and ${map.mode} forbids it`,
      tried,
      seen,
    }
  return { rule: 'plane-crossed', severity: 'security-bug', message, tried, seen }
}

/** As seed 003 §10 says it: `Machine key`, `Clerk JWT`. */
export function credentialWords(contract: Contract, plane: string | undefined): string {
  if (plane === undefined) return 'A request without a credential is'
  const scheme = requireEnvironment(contract).planes.get(plane)?.scheme
  if (scheme?.type === 'http') return `${capital(scheme.issuer ?? plane)} ${scheme.bearerFormat ?? 'token'}`
  return `${capital(plane)} key`
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function seenOf(answer: ProbeAnswer): string {
  return answer.kind === 'answered' ? String(answer.status) : answer.why
}
