import type { Contract } from '../contract.ts'
import type { Detector, Gate, Prohibition, Severity } from '../environment.ts'
import {
  both,
  byRank,
  canonical,
  compareEntries,
  compareItems,
  compareValue,
  type Draft,
  demands,
  permits,
  type Sides,
} from './change.ts'
import { environmentOf } from './nothing.ts'

/** Gates and prohibitions. */
export function compareProhibitions(sides: Sides<Contract>): readonly Draft[] {
  return [
    ...compareEntries(
      'gates',
      both(sides, (contract) => environmentOf(contract).gates),
      {
        noun: 'The gate',
        judged: demands,
        within: compareGate,
      },
    ),
    ...compareEntries(
      'prohibitions',
      both(sides, (contract) => environmentOf(contract).prohibitions),
      {
        noun: 'The prohibition',
        judged: demands,
        within: compareProhibition,
      },
    ),
  ]
}

function compareGate(rule: string, sides: Sides<Gate>, id: string): readonly Draft[] {
  return [
    ...compareItems(
      `${rule}.modes`,
      both(sides, (gate) => gate.modes),
      permits,
      (mode, now) =>
        now === 'added' ? `The gate ${id} is open in ${mode}.` : `The gate ${id} is shut in ${mode}.`,
    ),
    ...compareItems(
      `${rule}.endpoints`,
      both(sides, (gate) => [...gate.endpoints.keys()]),
      demands,
      (path, now) =>
        now === 'added' ? `${path} is behind the gate ${id}.` : `${path} is no longer behind the gate ${id}.`,
    ),
    ...compareValue(
      `${rule}.otherwise`,
      both(sides, (gate) => gate.otherwise),
      'other',
      `The answer of ${id}`,
    ),
  ]
}

const severities: readonly Severity[] = [
  'low',
  'medium',
  'high',
  'architecture-violation',
  'security-bug',
  'critical-violation',
]

function compareProhibition(rule: string, sides: Sides<Prohibition>, id: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.severity`,
      both(sides, ({ severity }) => severity),
      byRank(severities),
      `The severity of ${id}`,
    ),
    ...compareItems(`${rule}.detect`, both(sides, senses), demands, (sense, now) =>
      now === 'added' ? `${id} is detected by ${sense}.` : `${id} is no longer detected by ${sense}.`,
    ),
  ]
}

/** Each single thing that is looked at, in words. To be set at all covers to be `true`. */
function senses({ detectors }: Prohibition): readonly string[] {
  const all = new Set(detectors.flatMap(sensesOf))
  const present = [...all].filter((sense) => sense.startsWith(presence))
  return [...all, ...present.map((sense) => truthy + sense.slice(presence.length))].filter(
    (sense, index, list) => list.indexOf(sense) === index,
  )
}

const presence = 'the presence of '
const truthy = 'the truth of '

function sensesOf(detector: Detector): readonly string[] {
  switch (detector.kind) {
    case 'environment':
      return detector.variables.map((name) => `${detector.when === 'present' ? presence : truthy}${name}`)
    case 'source':
      return [`the pattern ${detector.pattern} in ${canonical(detector.files ?? 'every file')}`]
    case 'same-value':
      return detector.in.map((mode) => `the ${detector.variable} of ${detector.of} in ${mode}`)
    case 'probe':
      return [`a credential of ${detector.with} on ${detector.plane}`]
    case 'process':
      return detector.forbids.map((thing) => `${thing} in the scope ${detector.scope}`)
  }
}
