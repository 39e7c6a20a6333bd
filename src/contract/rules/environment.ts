import type { Located } from '../located.ts'
import { quote, type Report } from '../problem.ts'
import { matchResource } from '../resource.ts'
import { planeKind } from './planes.ts'
import { namesIn, onLine, type Rule, requireEach, requireKeys, requireKnown } from './reference.ts'
import { modeKind, scopeKind, scopeNames, secretPathNodes, variableKind, variableNames } from './variables.ts'

/** What the parts of an environment name exists, and none of them contradicts itself. */
export const environmentRule: Rule = (root, report) => {
  for (const rule of [
    modeRules,
    scopeRules,
    migrationRules,
    gateRules,
    prohibitionRules,
    referenceRules,
    adapterRules,
    fileRules,
    rotationRules,
  ])
    rule(root, report)
}

const modeRules: Rule = (root, report) => {
  const modes = namesIn(root, 'modes')
  requireKnown(root.at('metadata', 'current'), modes, modeKind, report)
  for (const [name, mode] of root.at('modes')?.entries ?? []) {
    const inherited = mode.at('auth', 'inherit')
    if (inherited === undefined) requireKeys(mode.at('auth'), namesIn(root, 'planes'), planeKind, report)
    else if (requireKnown(inherited, modes, modeKind, report)) requireOrigin(root, name, inherited, report)
  }
}

/** Rules are inherited from a mode that has its own, so that nobody has to follow a chain. */
function requireOrigin(root: Located, name: string, inherited: Located, report: Report): void {
  const origin = root.at('modes', inherited.text ?? '', 'auth')
  if (inherited.text === name)
    report(inherited.place, `The mode ${name} inherits from itself.`, 'name another mode')
  else if (origin === undefined)
    report(inherited.place, `The mode ${inherited.text} has no \`auth\` to inherit.`, 'give it one')
  else if (origin.at('inherit'))
    report(
      inherited.place,
      `The mode ${inherited.text} inherits itself (${onLine(origin.place)}).`,
      `name ${origin.at('inherit')?.text ?? 'the mode that it inherits from'}`,
    )
}

const scopeRules: Rule = (root, report) => {
  const scopes = root.at('scopes')
  if (!scopes) return
  const defaults = [...scopes.entries].filter(([, scope]) => scope.at('default')?.value === true)
  if (defaults.length === 0)
    report(scopes.place, 'No scope is the default.', 'add `default: true` to the one of an ordinary start')
  for (const [name, scope] of defaults.slice(1))
    report(
      scope.nearest(['default']).place,
      `The scopes ${defaults[0]?.[0]} and ${name} are both the default.`,
      'keep one of the two',
    )
  for (const scope of scopes.entries.values())
    requireKnown(scope.at('plane'), namesIn(root, 'planes'), planeKind, report)
}

const roleKind = { noun: 'database role', section: 'migrations.roles' } as const

const migrationRules: Rule = (root, report) => {
  const migrations = root.at('migrations')
  const variables = variableNames(root)
  const roles = new Set(migrations?.at('roles')?.entries.keys())
  requireKnown(migrations?.at('roleVariable'), variables, variableKind, report)
  requireEach(migrations?.at('informational'), variables, variableKind, report)
  const deciding = migrations?.at('roleVariable')?.text
  for (const item of migrations?.at('informational')?.items ?? [])
    if (item.text === deciding)
      report(item.place, `${deciding} decides, so it does not only inform.`, 'remove it')
  requireKeys(migrations?.at('roleByMode'), namesIn(root, 'modes'), modeKind, report)
  for (const role of migrations?.at('roleByMode')?.entries.values() ?? [])
    requireKnown(role, roles, roleKind, report)
  for (const [name, role] of migrations?.at('roles')?.entries ?? []) {
    requireKeys(role.at('confirm'), variables, variableKind, report)
    requireConfirmation(name, role, report)
  }
}

function requireConfirmation(name: string, role: Located, report: Report): void {
  const migrate = role.at('migrate')
  const confirm = role.at('confirm')
  if (migrate?.text === 'confirm' && !confirm)
    report(
      migrate.place,
      `The role ${name} is confirmed by nothing.`,
      'add `confirm`, such as `{ CONFIRM_PROD_MIGRATIONS: "true" }`',
    )
  else if (migrate?.text !== undefined && migrate.text !== 'confirm' && confirm)
    report(
      confirm.keyPlace,
      `The role ${name} has a confirmation, but \`migrate\` is ${quote(migrate.text)}.`,
      'write `migrate: confirm`, or remove it',
    )
}

const gateRules: Rule = (root, report) => {
  const seen = new Map<string, { id: string; node: Located }>()
  for (const [id, gate] of root.at('gates')?.entries ?? []) {
    requireEach(gate.at('modes'), namesIn(root, 'modes'), modeKind, report)
    for (const [path, node] of gate.at('endpoints')?.entries ?? []) {
      const first = seen.get(path)
      if (first)
        report(
          node.keyPlace,
          `${quote(path)} has the gate ${first.id} already (${onLine(first.node.keyPlace)}).`,
          'keep one of the two',
        )
      else seen.set(path, { id, node })
    }
    const endpoints = gate.at('endpoints')
    if (endpoints?.entries.size === 0)
      report(endpoints.place, `The gate ${id} has no endpoint.`, 'add one under `endpoints`')
  }
}

const prohibitionRules: Rule = (root, report) => {
  const variables = variableNames(root)
  const planes = namesIn(root, 'planes')
  const modes = namesIn(root, 'modes')
  for (const prohibition of root.at('prohibitions')?.entries.values() ?? [])
    for (const detector of prohibition.at('detect')?.items ?? []) {
      for (const path of [['truthy'], ['present'], ['sameValue', 'variable']])
        requireEach(detector.at(...path), variables, variableKind, report)
      for (const path of ['of', 'in']) requireEach(detector.at('sameValue', path), modes, modeKind, report)
      for (const path of ['plane', 'with'])
        requireKnown(detector.at('probe', path), planes, planeKind, report)
      requireKnown(detector.at('running', 'scope'), scopeNames(root), scopeKind, report)
      refuseEmptyComparison(detector, report)
    }
}

function refuseEmptyComparison(detector: Located, report: Report): void {
  const own = detector.at('sameValue', 'of')?.text
  for (const item of detector.at('sameValue', 'in')?.items ?? [])
    if (item.text === own) report(item.place, `The value of ${own} belongs to ${own}.`, 'remove it')
  const plane = detector.at('probe', 'plane')?.text
  const shown = detector.at('probe', 'with')
  if (shown?.text !== undefined && shown.text === plane)
    report(shown.place, `A credential of ${plane} belongs on ${plane}.`, 'name another plane')
}

const referenceRules: Rule = (root, report) => {
  const references = root.at('references')
  requireEach(references?.at('requiredModes'), namesIn(root, 'modes'), modeKind, report)
  const resolves = [...(references?.at('resolves')?.entries ?? [])]
  const written = [
    ...(references?.at('examples')?.items ?? []).map(({ text, place }) => ({ text, place })),
    ...resolves.map(([text, { keyPlace }]) => ({ text, place: keyPlace })),
  ]
  for (const { text, place } of written)
    if (text !== undefined && patternOf(root)?.test(text) === false)
      report(place, `${quote(text)} does not match \`references.pattern\`.`, 'change it or the pattern')
  for (const [, target] of resolves) requireTarget(root, target, report)
}

/** The pattern of references, where it is one. */
function patternOf(root: Located): RegExp | undefined {
  const pattern = root.at('references', 'pattern')?.text
  if (pattern === undefined) return undefined
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return undefined
  }
}

function requireTarget(root: Located, target: Located, report: Report): void {
  const service = target.at('service')
  const action = target.at('action')
  if (!requireKnown(service, namesIn(root, 'services'), { noun: 'service', section: 'services' }, report))
    return
  const actions = root.at('services', service?.text ?? '', 'actions')
  const within = ` in the service ${service?.text}`
  if (
    !requireKnown(
      action,
      new Set(actions?.entries.keys()),
      { noun: 'action', section: 'services', within },
      report,
    )
  )
    return
  const template = actions?.at(action?.text ?? '', 'resource')?.text
  const resource = target.at('resource')
  if (template === undefined || resource?.text === undefined) return
  if (matchResource(template, resource.text) === undefined)
    report(
      resource.place,
      `${quote(resource.text)} is no resource of ${action?.text}, which is written ${quote(template)}.`,
      'write one that it can have',
    )
}

const adapterRules: Rule = (root, report) => {
  for (const adapter of root.at('adapters')?.entries.values() ?? [])
    requireKnown(
      adapter.at('defaultAuthMode'),
      new Set(adapter.at('authModes')?.texts),
      { noun: 'auth mode', section: 'authModes' },
      report,
    )
}

const fileRules: Rule = (root, report) => {
  for (const file of root.at('files')?.entries.values() ?? []) {
    const covers = file.at('covers')
    const role = file.at('role')?.text
    for (const item of covers?.items ?? []) requireKnown(item, namesIn(root, 'modes'), modeKind, report)
    if (covers && role !== undefined && role !== 'example')
      report(covers.keyPlace, `A ${role} covers no variables.`, 'remove `covers`, or write `role: example`')
  }
}

const rotationRules: Rule = (root, report) => {
  const known = new Set([...variableNames(root), ...secretPathNodes(root).keys()])
  for (const rotation of root.at('rotations')?.entries.values() ?? [])
    for (const item of rotation.at('secrets')?.items ?? [])
      if (item.text === undefined || patternOf(root)?.test(item.text) !== true)
        requireKnown(
          item,
          known,
          { noun: 'variable, secret path or reference', section: 'variables' },
          report,
        )
}
