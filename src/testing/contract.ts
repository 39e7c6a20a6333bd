import type {
  Action,
  AlertTarget,
  Contract,
  Grant,
  IdentityEntry,
  Issuer,
  Mode,
  Place,
  ProviderEntry,
  Service,
} from '../contract/index.ts'

type Loose<Entry, Required extends keyof Entry> = Partial<Entry> & Pick<Entry, Required>
type LooseService = Omit<Loose<Service, 'name'>, 'actions'> & {
  readonly actions?: readonly Loose<Action, 'name'>[]
}

/** What a test may say about a contract; each list replaces the whole list of the default contract. */
export type ContractFixture = Partial<
  Pick<
    Contract,
    | 'name'
    | 'file'
    | 'digest'
    | 'discriminators'
    | 'machineKeyHeader'
    | 'defaultDurationSeconds'
    | 'environment'
  >
> & {
  readonly modes?: readonly Loose<Mode, 'name'>[]
  readonly tenants?: readonly string[]
  readonly issuers?: readonly Loose<Issuer, 'name' | 'issuer'>[]
  readonly identities?: readonly Loose<IdentityEntry, 'agent' | 'tenant'>[]
  readonly providers?: readonly Loose<ProviderEntry, 'name'>[]
  readonly services?: readonly LooseService[]
  readonly grants?: readonly Loose<Grant, 'id'>[]
  readonly alerts?: readonly AlertTarget[]
}

/**
 * A contract in the shape that the parser gives, for tests that need no file. Without overrides: modes `LOCAL` (development, 1 h)
 * and `PROD` (production, 15 min), tenants `acme` and `globex`, and what `fixtureServices` and `fixtureGrants` hold. Services and
 * grants have lines of their own from 100 and from 200 on, so that a test can tell which place was named.
 */
export function contractFixture(fixture: ContractFixture = {}): Contract {
  const services = (fixture.services ?? fixtureServices).map(service)
  const providers = fixture.providers ?? services.map((entry) => ({ name: entry.provider }))
  return {
    name: 'fixture',
    file: 'sallyport.yaml',
    digest: `sha256:${'0'.repeat(64)}`,
    discriminators: ['AOS_MODE'],
    machineKeyHeader: 'X-AOS-Key',
    defaultDurationSeconds: 900,
    alerts: [],
    ...fixture,
    modes: byName((fixture.modes ?? fixtureModes).map(mode)),
    tenants: byName((fixture.tenants ?? ['acme', 'globex']).map((name) => ({ name, place: at(30) }))),
    issuers: byName((fixture.issuers ?? []).map(issuer)),
    identities: new Map(
      (fixture.identities ?? fixtureIdentities).map(identity).map((one) => [one.agent, one]),
    ),
    providers: byName(providers.map((entry) => ({ kind: 'env', config: {}, place: at(80), ...entry }))),
    services: byName(services),
    grants: (fixture.grants ?? fixtureGrants).map(grant),
    placeOf: (path) => at(placeLines[`${path[0] ?? ''}`] ?? 1),
  }
}

export const fixtureModes = [
  { name: 'LOCAL', class: 'development', match: { AOS_MODE: 'local' } },
  { name: 'PROD', class: 'production', match: { AOS_MODE: 'prod' }, maxDurationSeconds: 900 },
] as const

export const fixtureIdentities = [
  { agent: 'agent-7', tenant: 'acme' },
  { agent: 'agent-8', tenant: 'acme' },
  { agent: 'dana', tenant: 'acme', plane: 'human' },
  { agent: 'robot', tenant: 'globex' },
] as const

export const fixtureServices: readonly LooseService[] = [
  {
    name: 'orders-db',
    actions: [
      { name: 'read-table', resource: '{schema}.{table}' },
      { name: 'write-table', resource: '{schema}.{table}' },
    ],
  },
  {
    name: 'files',
    actions: [
      { name: 'read-object', resource: '{bucket}/{key+}' },
      { name: 'list-buckets', resource: '{bucket}' },
    ],
  },
]

export const fixtureGrants: readonly Loose<Grant, 'id'>[] = [
  { id: 'agent-7-reads-orders' },
  {
    id: 'dana-reads-files',
    agents: ['dana'],
    planes: ['human'],
    service: 'files',
    actions: ['read-object'],
    resources: ['docs/**'],
  },
  { id: 'robot-reads-orders', tenant: 'globex', agents: ['robot'], resources: ['public.*'] },
]

const placeLines: Readonly<Record<string, number>> = {
  discriminators: 5,
  modes: 10,
  tenants: 30,
  issuers: 40,
  identities: 50,
  providers: 80,
  services: 99,
  grants: 199,
}

function at(line: number): Place {
  return { line, column: 3 }
}

function byName<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [entry.name, entry]))
}

function mode(loose: Loose<Mode, 'name'>, index: number): Mode {
  return { class: 'development', match: {}, maxDurationSeconds: 3600, place: at(10 + index), ...loose }
}

function issuer(loose: Loose<Issuer, 'name' | 'issuer'>): Issuer {
  return {
    plane: 'machine',
    audience: 'sallyport',
    algorithms: ['RS256'],
    clockSkewSeconds: 30,
    maxAgeSeconds: 3600,
    place: at(40),
    ...loose,
  }
}

function identity(loose: Loose<IdentityEntry, 'agent' | 'tenant'>, index: number): IdentityEntry {
  return { plane: 'machine', proofs: [], roles: [], place: at(50 + index), ...loose }
}

function service(loose: LooseService, index: number): Service {
  const { actions = [], ...rest } = loose
  const place = at(100 + index * 10)
  return {
    provider: 'fake',
    place,
    ...rest,
    actions: byName(
      actions.map((one, nth) => ({ resource: '{name}', means: {}, place: at(place.line + nth + 1), ...one })),
    ),
  }
}

/** Without overrides: agent-7 of acme reads the table `public.orders`, by machine, in both modes, for 15 minutes. */
function grant(loose: Loose<Grant, 'id'>, index: number): Grant {
  return {
    tenant: 'acme',
    agents: ['agent-7'],
    service: 'orders-db',
    actions: ['read-table'],
    resources: ['public.orders'],
    modes: ['LOCAL', 'PROD'],
    planes: ['machine'],
    maxDurationSeconds: 900,
    place: at(200 + index),
    ...loose,
  }
}
