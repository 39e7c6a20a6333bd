import {
  type Contract,
  type Environment,
  lintContract,
  type Place,
  requireEnvironment,
  type Variable,
} from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { secretKindOf } from '../references/index.ts'
import { pathWord } from './path-word.ts'
import type { Terminal } from './terminal.ts'

/** Shows a contract with an environment, or what it says of one name. No value of a secret is in it. */
export function showContract(io: Terminal, contract: Contract, name: string | undefined): number {
  const environment = requireEnvironment(contract)
  if (name === undefined) showWhole(io, contract, environment)
  else showName(io, contract, name)
  return 0
}

function showWhole(io: Terminal, contract: Contract, environment: Environment): void {
  const { name, digest, discriminators } = contract
  const modes = [...contract.modes.values()].map((mode) => ({
    name: mode.name,
    class: mode.class,
    match: mode.match,
  }))
  if (io.json) {
    io.data({ name, digest, discriminators, modes, environment: plain(environment) })
    return
  }
  io.out(`${name}  ${digest}`)
  io.out('')
  for (const row of columns(modeRows(contract, environment))) io.out(row)
  io.out('')
  for (const row of columns(ownerRows(environment))) io.out(row)
  io.out('')
  const counts = [
    [environment.planes, 'planes'],
    [environment.secretPaths, 'secret paths'],
    [environment.gates, 'gates'],
    [environment.prohibitions, 'prohibitions'],
    [environment.files, 'files'],
    [environment.rotations, 'rotations'],
  ] as const
  io.out(counts.map(([map, noun]) => `${map.size} ${noun}`).join(' · '))
  io.out(
    `${lintContract(contract, { secretKindOf }).length} findings: sallyport contract lint ${contract.file}`,
  )
}

function modeRows(contract: Contract, environment: Environment): readonly (readonly string[])[] {
  const planes = [...environment.planes.keys()].filter((plane) =>
    [...environment.modeRules.values()].some(({ auth }) => auth.has(plane)),
  )
  const head = [
    'mode',
    ...contract.discriminators,
    'class',
    ...planes,
    ...(environment.migrations ? ['database role'] : []),
  ]
  return [
    head,
    ...[...contract.modes.values()].map((mode) => [
      mode.name,
      ...contract.discriminators.map((name) => mode.match[name] ?? ''),
      mode.class,
      ...planes.map((plane) => environment.modeRules.get(mode.name)?.auth.get(plane) ?? '-'),
      ...(environment.migrations ? [environment.migrations.roleByMode.get(mode.name) ?? '-'] : []),
    ]),
  ]
}

function ownerRows({ variables }: Environment): readonly (readonly string[])[] {
  const byOwner = Map.groupBy(variables.values(), ({ owner }) => owner)
  const count = (list: readonly Variable[], holds: (one: Variable) => boolean) =>
    String(list.filter(holds).length)
  return [
    ['owner', 'variables', 'required', 'sensitive'],
    ...[...byOwner].map(([owner, list]) => [
      owner,
      String(list.length),
      count(list, ({ required }) => required.kind !== 'optional'),
      count(list, ({ sensitive }) => sensitive),
    ]),
  ]
}

/** Columns as wide as their widest cell. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function showName(io: Terminal, contract: Contract, name: string): void {
  const found = namedIn(contract, requireEnvironment(contract)).filter((one) => one.name === name)
  if (found.length === 0)
    throw new Failure('option_invalid', `The contract ${contract.file} says nothing of ${name}.`, {
      next: `sallyport contract show ${pathWord(contract.file)}`,
    })
  if (io.json) {
    io.data(found.map(({ kind, value }) => ({ kind, ...value })))
    return
  }
  for (const { kind, value, place } of found) {
    io.out(`${kind} ${name}  ${contract.file}:${place.line}:${place.column}`)
    for (const [key, inner] of Object.entries(value))
      if (key !== 'place' && key !== 'name' && !isEmpty(inner)) io.out(`  ${key}: ${wordsOf(inner)}`)
  }
}

function isEmpty(value: unknown): boolean {
  return ['undefined', '[]', '{}'].includes(JSON.stringify(value) ?? 'undefined')
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

type Named = {
  readonly kind: string
  readonly name: string
  readonly place: Place
  readonly value: Readonly<Record<string, unknown>>
}

function namedIn(contract: Contract, environment: Environment): readonly Named[] {
  const kinds: readonly (readonly [string, ReadonlyMap<string, { readonly place: Place }> | undefined])[] = [
    ['mode', contract.modes],
    ['rules of mode', environment.modeRules],
    ['plane', environment.planes],
    ['scope', environment.scopes],
    ['variable', environment.variables],
    ['secret path', environment.secretPaths],
    ['gate', environment.gates],
    ['prohibition', environment.prohibitions],
    ['database role', environment.migrations?.roles],
    ['adapter', environment.requestAdapters],
    ['file', environment.files],
    ['rotation', environment.rotations],
  ]
  return kinds.flatMap(([kind, map]) =>
    [...(map ?? [])].map(([name, value]) => ({
      kind,
      name,
      place: value.place,
      value: Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)])),
    })),
  )
}

/** Maps as mappings, so that JSON holds them. */
function plain(value: unknown): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), plain(inner)]))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
