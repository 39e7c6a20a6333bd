import { buildEnvironment } from './build-environment.ts'
import type {
  Action,
  AlertTarget,
  Contract,
  Grant,
  IdentityEntry,
  Issuer,
  Mode,
  Place,
  Proof,
  ProviderEntry,
  Service,
} from './contract.ts'
import type { Located } from './located.ts'
import { defaultDurationSeconds } from './rules/modes.ts'
import type { ContractShape } from './shape.ts'
import { durationSeconds } from './text-shape.ts'

/** The contract as the rest of the house sees it, from a file in which nothing is wrong. */
export function buildContract(from: {
  shape: ContractShape
  root: Located
  file: string
  digest: string
}): Contract {
  const { shape, root } = from
  const placeOf = (path: readonly (string | number)[]): Place => root.nearest(path).place
  const environment = buildEnvironment(shape, placeOf)
  return {
    name: shape.metadata.name,
    file: from.file,
    digest: from.digest,
    discriminators: shape.discriminators,
    modes: entries(shape.modes, (name, value) => mode(name, value, placeOf(['modes', name]))),
    tenants: new Map(
      (shape.tenants ?? []).map((name, index) => [name, { name, place: placeOf(['tenants', index]) }]),
    ),
    issuers: entries(shape.issuers ?? {}, (name, value) => issuer(name, value, placeOf(['issuers', name]))),
    machineKeyHeader: machineKeyHeader(shape),
    identities: entries(shape.identities ?? {}, (agent, value) =>
      identity(agent, value, placeOf(['identities', agent])),
    ),
    providers: entries(
      shape.providers ?? {},
      (name, value): ProviderEntry => ({
        name,
        kind: value.kind,
        config: value.config ?? {},
        place: placeOf(['providers', name]),
      }),
    ),
    services: entries(shape.services ?? {}, (name, value) => service(name, value, placeOf)),
    grants: (shape.grants ?? []).map((value, index) => grant(value, placeOf(['grants', index]))),
    alerts: (shape.alerts ?? []).flatMap((value, index) => alert(value, placeOf(['alerts', index]))),
    ...(environment && { environment }),
    defaultDurationSeconds:
      shape.defaults?.duration === undefined
        ? defaultDurationSeconds
        : durationSeconds(shape.defaults.duration),
    placeOf,
  }
}

function entries<From, To>(
  section: Readonly<Record<string, From>>,
  make: (name: string, value: From) => To,
): ReadonlyMap<string, To> {
  return new Map(Object.entries(section).map(([name, value]) => [name, make(name, value)]))
}

/** Empty where no machine key can be shown: no request has a header without a name. */
function machineKeyHeader({ planes }: ContractShape): string {
  const scheme = planes?.['machine']?.scheme
  return scheme?.type === 'apiKey' ? scheme.name : ''
}

function mode(name: string, value: ContractShape['modes'][string], place: Place): Mode {
  const { duration, residual } = value.ceiling ?? {}
  return {
    name,
    class: value.class,
    match: value.match,
    // Without a ceiling nothing is granted, so nothing may live.
    maxDurationSeconds: duration === undefined ? 0 : durationSeconds(duration),
    ...(residual === undefined ? {} : { maxResidualSeconds: durationSeconds(residual) }),
    place,
  }
}

function issuer(name: string, value: NonNullable<ContractShape['issuers']>[string], place: Place): Issuer {
  return {
    name,
    plane: value.plane,
    issuer: value.issuer,
    audience: value.audience,
    algorithms: value.algorithms,
    ...(value.jwks === undefined ? {} : { jwksUri: value.jwks }),
    ...(value.ca === undefined ? {} : { caFile: value.ca }),
    clockSkewSeconds: durationSeconds(value.clockSkew ?? '30s'),
    maxAgeSeconds: durationSeconds(value.maxAge ?? '1h'),
    place,
  }
}

type IdentityShape = NonNullable<ContractShape['identities']>[string]

function identity(agent: string, value: IdentityShape, place: Place): IdentityEntry {
  return {
    agent,
    tenant: value.tenant,
    plane: value.plane,
    proofs: value.proofs.flatMap(proof),
    roles: value.roles ?? [],
    place,
  }
}

function proof({ spiffe, certificate, token, key }: IdentityShape['proofs'][number]): readonly Proof[] {
  if (spiffe !== undefined) return [{ kind: 'spiffe', id: spiffe }]
  if (certificate !== undefined) return [{ kind: 'certificate', sha256: hexadecimal(certificate) }]
  if (token !== undefined) return [{ kind: 'token', issuer: token.issuer, claims: token.claims }]
  if (key !== undefined) return [{ kind: 'machine-key', sha256: hexadecimal(key) }]
  return []
}

function hexadecimal(fingerprint: string): string {
  return fingerprint.slice('sha256:'.length)
}

function service(
  name: string,
  value: NonNullable<ContractShape['services']>[string],
  placeOf: Contract['placeOf'],
): Service {
  return {
    name,
    provider: value.provider,
    actions: entries(
      value.actions,
      (action, { title, resource, means }): Action => ({
        name: action,
        ...(title === undefined ? {} : { title }),
        resource,
        means: means ?? {},
        place: placeOf(['services', name, 'actions', action]),
      }),
    ),
    place: placeOf(['services', name]),
  }
}

function grant(value: NonNullable<ContractShape['grants']>[number], place: Place): Grant {
  const { maxDuration, planes, ...rest } = value
  return { ...rest, planes: planes ?? ['machine'], maxDurationSeconds: durationSeconds(maxDuration), place }
}

function alert(
  { alertmanager, webhook }: NonNullable<ContractShape['alerts']>[number],
  place: Place,
): readonly AlertTarget[] {
  if (alertmanager !== undefined) return [{ kind: 'alertmanager', url: alertmanager, place }]
  if (webhook !== undefined) return [{ kind: 'webhook', url: webhook, place }]
  return []
}
