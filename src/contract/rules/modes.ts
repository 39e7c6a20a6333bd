import { formatDuration, parseDurationSeconds } from '../../primitives/index.ts'
import type { Place } from '../contract.ts'
import type { Located } from '../located.ts'
import { nearestName } from '../nearest.ts'
import type { Report } from '../problem.ts'
import { namesIn, onLine, type Rule, requireKnown } from './reference.ts'

export const defaultDurationSeconds = 900

/** Modes are closed tuples: every discriminator has one value in every mode, no two are equal, none is the default. */
export const modeRule: Rule = (root, report) => {
  const discriminators = namesIn(root, 'discriminators') ?? new Set()
  const modes = root.at('modes')?.entries ?? new Map<string, Located>()
  if (root.at('modes') && modes.size === 0)
    report(root.nearest(['modes']).place, 'There is no mode.', 'add one under `modes`')
  refuseDefaults(root, report)
  for (const [name, mode] of modes) {
    const match = mode.at('match')
    if (match) requireWhole({ name, match, discriminators }, report)
  }
  refuseTwins(modes, discriminators, report)
  requireRoomForDefault(root, modes, report)
}

function refuseDefaults(root: Located, report: Report): void {
  for (const section of ['modes', 'discriminators'])
    for (const place of defaultKeys(root.at(section)))
      report(
        place,
        'There is no default mode: a process whose environment matches no mode does not start.',
        'remove this key, and give the mode a tuple of its own',
      )
}

function defaultKeys(node: Located | undefined): readonly Place[] {
  if (!node) return []
  const below = [...node.items, ...node.entries.values()].flatMap(defaultKeys)
  const here = [...node.entries].filter(([key]) => key.toLowerCase() === 'default')
  return [...here.map(([, child]) => child.keyPlace), ...below]
}

function requireWhole(
  mode: { name: string; match: Located; discriminators: ReadonlySet<string> },
  report: Report,
): void {
  const strange = [...mode.match.entries.keys()].filter((key) => !mode.discriminators.has(key))
  const misspelt = new Set(strange.map((key) => nearestName(key, mode.discriminators)))
  for (const discriminator of mode.discriminators)
    if (!mode.match.at(discriminator) && !misspelt.has(discriminator))
      report(
        mode.match.place,
        `The mode ${mode.name} gives no value for ${discriminator}; a mode is a whole tuple.`,
        `add \`${discriminator}: …\` to its \`match\``,
      )
  for (const [key, value] of mode.match.entries)
    requireKnown(
      { text: key, place: value.keyPlace },
      mode.discriminators,
      { noun: 'discriminator', section: 'discriminators' },
      report,
    )
}

function refuseTwins(
  modes: ReadonlyMap<string, Located>,
  discriminators: ReadonlySet<string>,
  report: Report,
): void {
  const seen = new Map<string, { name: string; place: Place }>()
  for (const [name, mode] of modes) {
    const values = [...discriminators].map((discriminator) => mode.at('match', discriminator)?.text)
    if (values.length === 0 || values.includes(undefined)) continue
    const tuple = JSON.stringify(values)
    const first = seen.get(tuple)
    const place = mode.at('match')?.place ?? mode.place
    if (!first) seen.set(tuple, { name, place })
    else
      report(
        place,
        `The modes ${first.name} (${onLine(first.place)}) and ${name} have the same tuple.`,
        'change a value, or add a discriminator that tells them apart',
      )
  }
}

function requireRoomForDefault(root: Located, modes: ReadonlyMap<string, Located>, report: Report): void {
  const written = root.at('defaults', 'duration')
  const seconds = written ? parseDurationSeconds(written.text ?? '') : defaultDurationSeconds
  if (seconds === undefined) return
  for (const [name, mode] of modes) {
    const ceiling = mode.at('ceiling', 'duration')
    const allowed = parseDurationSeconds(ceiling?.text ?? '')
    if (!ceiling || allowed === undefined || seconds <= allowed) continue
    const source = written ? '`defaults.duration`' : 'A request that names no duration'
    report(
      (written ?? ceiling).place,
      `${source} means ${formatDuration(seconds)}, but the ceiling of ${name} (${onLine(ceiling.place)}) is ${formatDuration(allowed)}.`,
      `write \`defaults: { duration: ${formatDuration(allowed)} }\`, or raise the ceiling`,
    )
  }
}
