import type { Contract, Place } from './contract.ts'
import type {
  About,
  Detector,
  Environment,
  Gate,
  MigrationRules,
  ModeRules,
  Permission,
  PlaneRules,
  ProcessScope,
  Prohibition,
  ReferenceRules,
  RequiredWhen,
  Requirement,
  SecretPath,
  Variable,
} from './environment.ts'
import { hasBroker, hasEnvironment } from './parts.ts'
import type { ContractShape } from './shape.ts'
import { durationSeconds } from './text-shape.ts'

/** The part that needs no broker; `undefined` where the file is a broker's alone. */
export function buildEnvironment(
  shape: ContractShape,
  placeOf: Contract['placeOf'],
): Environment | undefined {
  if (hasBroker(shape) && !hasEnvironment(shape)) return undefined
  const { migrations, references, secretRules, agents } = shape
  return {
    about: about(shape.metadata),
    scopes: scopes(shape, placeOf),
    modeRules: entries(shape.modes, (name) => modeRules(name, shape, placeOf(['modes', name]))),
    planes: entries(shape.planes, (name, value) => plane(name, value, placeOf(['planes', name]))),
    variables: variables(shape, placeOf),
    secretPaths: secretPaths(shape, placeOf),
    gates: entries(shape.gates, (id, value) => gate(id, value, placeOf(['gates', id]))),
    prohibitions: entries(shape.prohibitions, (id, value) =>
      prohibition(id, value, placeOf(['prohibitions', id])),
    ),
    ...(migrations && { migrations: migrationRules(migrations, placeOf) }),
    ...(references && { references: referenceRules(references, placeOf(['references'])) }),
    requestAdapters: entries(shape.adapters, (name, value) => ({
      name,
      ...value,
      place: placeOf(['adapters', name]),
    })),
    files: entries(shape.files, (path, { covers, ...value }) => ({
      path,
      covers: covers ?? 'all',
      ...value,
      place: placeOf(['files', path]),
    })),
    rotations: entries(shape.rotations, (name, { every, ...value }) => ({
      name,
      everySeconds: durationSeconds(every),
      ...value,
      place: placeOf(['rotations', name]),
    })),
    ...(secretRules && { secretRules: { ...secretRules, place: placeOf(['secretRules']) } }),
    ...(agents && {
      agents: {
        must: agents.must ?? [],
        mustNot: agents.mustNot ?? [],
        onViolation: agents.onViolation,
        remember: agents.remember ?? [],
        answers: new Map(Object.entries(agents.answers ?? {})),
        place: placeOf(['agents']),
      },
    }),
    validation: shape.validation ?? [],
  }
}

function entries<From, To>(
  section: Readonly<Record<string, From>> | undefined,
  make: (name: string, value: From) => To,
): ReadonlyMap<string, To> {
  return new Map(Object.entries(section ?? {}).map(([name, value]) => [name, make(name, value)]))
}

type Section<Key extends keyof ContractShape> = NonNullable<ContractShape[Key]>
type Entry<Key extends keyof ContractShape> = Section<Key> extends Record<string, infer Value> ? Value : never

function about({ name: _, onMismatch: __, appliesTo, tracks, ...rest }: ContractShape['metadata']): About {
  return { ...rest, appliesTo: appliesTo ?? [], tracks: tracks ?? [] }
}

function scopes(shape: ContractShape, placeOf: Contract['placeOf']): ReadonlyMap<string, ProcessScope> {
  const place = placeOf(['scopes'])
  if (!shape.scopes) return new Map([['runtime', { name: 'runtime', isDefault: true, commands: [], place }]])
  return entries(shape.scopes, (name, { default: isDefault, plane, commands }) => ({
    name,
    isDefault: isDefault ?? false,
    ...(plane === undefined ? {} : { plane }),
    commands: commands ?? [],
    place: placeOf(['scopes', name]),
  }))
}

function modeRules(name: string, { modes }: ContractShape, place: Place): ModeRules {
  const { class: modeClass, purpose, effects, data, strict, notes } = modes[name] ?? {}
  const production = modeClass === 'production' ? 'allowed' : 'forbidden'
  return {
    mode: name,
    ...(purpose === undefined ? {} : { purpose }),
    auth: new Map(Object.entries(authOf(name, modes))),
    effects: effects ?? {},
    ...(data === undefined ? {} : { dataClass: data.class }),
    productionData: data?.production ?? production,
    strict: strict ?? false,
    notes: notes ?? [],
    place,
  }
}

/** The rules of the mode, or of the one that it inherits from: a rule sees to it that this one inherits from none. */
function authOf(name: string, modes: ContractShape['modes']): Readonly<Record<string, Permission>> {
  const own = modes[name]?.auth
  if (own === undefined) return {}
  if (!isInherited(own)) return own
  const heir = modes[own.inherit]?.auth
  return heir === undefined || isInherited(heir) ? {} : heir
}

type Auth = NonNullable<Entry<'modes'>['auth']>

function isInherited(auth: Auth): auth is { inherit: string } {
  // A permission is never a name of a mode, so a plane called `inherit` cannot be mistaken for this.
  return Object.keys(auth).length === 1 && 'inherit' in auth
}

function plane(name: string, value: Entry<'planes'>, place: Place): PlaneRules {
  const { testing, clients, endpoints, tags, rejects, standsInFor, scopes, forbids, ...rest } = value
  return {
    name,
    ...rest,
    endpoints: endpoints ?? [],
    tags: tags ?? [],
    rejects: rejects ?? [],
    standsInFor: standsInFor ?? [],
    clients: new Map(Object.entries(clients ?? {})),
    scopes: scopes ?? [],
    forbids: forbids ?? [],
    testing: { methods: testing?.methods ?? [], never: testing?.never ?? [] },
    place,
  }
}

function variables(shape: ContractShape, placeOf: Contract['placeOf']): ReadonlyMap<string, Variable> {
  const all = (shape.variables ?? []).flatMap(({ group, owner, vars, names }, index) => [
    ...Object.entries(vars ?? {}).map(([name, value]) =>
      variable({ name, group, owner }, value, placeOf(['variables', index, 'vars', name])),
    ),
    ...(names ?? []).map((name, at) =>
      variable({ name, group, owner }, {}, placeOf(['variables', index, 'names', at])),
    ),
  ])
  return new Map(all.map((one) => [one.name, one]))
}

type VariableShape = NonNullable<Section<'variables'>[number]['vars']>[string]

function variable(
  { name, group, owner }: { name: string; group: string; owner: string },
  value: VariableShape,
  place: Place,
): Variable {
  const { type, description, required, sensitive, secretRef, internal, example, ...rest } = value
  const { owner: ownOwner, const: constants, ...constraints } = rest
  return {
    name,
    group,
    owner: ownOwner ?? owner,
    type: type ?? 'string',
    ...(description === undefined ? {} : { description }),
    constraints,
    constByMode: entries(constants, (_, text) => String(text)),
    required: requirement(required),
    sensitive: sensitive ?? false,
    secretPaths: oneOrMany(secretRef),
    internal: internal ?? false,
    ...(example === undefined ? {} : { example }),
    place,
  }
}

function requirement(written: VariableShape['required']): Requirement {
  if (written === undefined) return { kind: 'optional' }
  if (written === 'always') return { kind: 'always' }
  if (!Array.isArray(written)) return { kind: 'when', ...written }
  return { kind: 'any', of: written.map((one): RequiredWhen => ({ kind: 'when', ...one })) }
}

function oneOrMany(written: string | readonly string[] | undefined): readonly string[] {
  if (written === undefined) return []
  return typeof written === 'string' ? [written] : written
}

function secretPaths(shape: ContractShape, placeOf: Contract['placeOf']): ReadonlyMap<string, SecretPath> {
  const all = Object.entries(shape.secretStores ?? {}).flatMap(([store, { paths }]) =>
    Object.entries(paths).map(
      ([path, { owner, keys }]): SecretPath => ({
        path,
        store,
        keys,
        owners: oneOrMany(owner),
        place: placeOf(['secretStores', store, 'paths', path]),
      }),
    ),
  )
  return new Map(all.map((one) => [one.path, one]))
}

function gate(id: string, value: Entry<'gates'>, place: Place): Gate {
  const { otherwise, endpoints, ...rest } = value
  return {
    id,
    ...rest,
    otherwise: { status: otherwise.status, body: otherwise.body ?? {} },
    endpoints: new Map(Object.entries(endpoints)),
    place,
  }
}

function prohibition(id: string, value: Entry<'prohibitions'>, place: Place): Prohibition {
  const { reason, severity, detect } = value
  return { id, reason, severity, detectors: (detect ?? []).flatMap(detector), place }
}

type DetectorShape = NonNullable<Entry<'prohibitions'>['detect']>[number]

function detector({
  truthy,
  present,
  source,
  sameValue,
  probe,
  running,
}: DetectorShape): readonly Detector[] {
  if (truthy !== undefined) return [{ kind: 'environment', variables: truthy, when: 'truthy' }]
  if (present !== undefined) return [{ kind: 'environment', variables: present, when: 'present' }]
  if (source !== undefined) return [{ kind: 'source', ...source }]
  if (sameValue !== undefined) return [{ kind: 'same-value', ...sameValue }]
  if (probe !== undefined) return [{ kind: 'probe', ...probe }]
  if (running !== undefined) return [{ kind: 'process', ...running }]
  return []
}

function migrationRules(value: Section<'migrations'>, placeOf: Contract['placeOf']): MigrationRules {
  const { roleVariable, informational, roles, roleByMode, bootstrap } = value
  return {
    roleVariable,
    informational: informational ?? [],
    roles: entries(roles, (name, { migrate, confirm, meaning }) => ({
      name,
      migrate,
      ...confirmation(confirm),
      ...(meaning === undefined ? {} : { meaning }),
      place: placeOf(['migrations', 'roles', name]),
    })),
    roleByMode: new Map(Object.entries(roleByMode)),
    ...(bootstrap && { bootstrap: { ...bootstrap, tables: bootstrap.tables ?? [] } }),
    place: placeOf(['migrations']),
  }
}

function confirmation(written: Readonly<Record<string, string>> | undefined) {
  const [first] = Object.entries(written ?? {})
  return first === undefined ? {} : { confirm: { variable: first[0], value: first[1] } }
}

function referenceRules(value: Section<'references'>, place: Place): ReferenceRules {
  const { field, pattern, requiredModes, examples, resolves } = value
  return {
    field,
    pattern,
    requiredModes: requiredModes ?? [],
    examples: examples ?? [],
    resolves: new Map(Object.entries(resolves ?? {})),
    place,
  }
}
