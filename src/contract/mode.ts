import { Failure } from '../primitives/index.ts'
import type { Contract, Mode } from './contract.ts'
import { nearestName } from './nearest.ts'

/** Discriminator values as the process sees them; a missing one is `undefined`. */
export type Discriminators = Readonly<Record<string, string | undefined>>

/**
 * The one mode whose whole tuple matches. Throws `mode_unmatched` when none does, naming the nearest mode and what differs:
 * a broker in an unknown environment does not start (seed 003 §8).
 */
export function resolveMode(contract: Contract, seen: Discriminators): Mode {
  const ranked = [...contract.modes.values()]
    .map((mode) => ({
      mode,
      differing: contract.discriminators.filter((name) => mode.match[name] !== seen[name]),
    }))
    .sort((left, right) => distance(left, seen) - distance(right, seen))
  const best = ranked[0]
  if (best && best.differing.length === 0) return best.mode
  const shown = contract.discriminators.map((name) => `${name}=${seen[name] ?? '(unset)'}`).join(' ')
  if (!best) throw new Failure('mode_unmatched', `The contract ${contract.file} has no mode.`)
  const change = best.differing.map((name) => `${name}=${best.mode.match[name]}`).join(' ')
  throw new Failure(
    'mode_unmatched',
    `No mode of ${contract.file} has ${shown}. The nearest is ${best.mode.name} (line ${best.mode.place.line}), which needs ${change}.`,
    { next: `set ${change} if this is ${best.mode.name}; there is no default mode` },
  )
}

/** A value in other letters, such as `Prod`, is nearer than another value. */
function distance(
  { mode, differing }: { readonly mode: Mode; readonly differing: readonly string[] },
  seen: Discriminators,
): number {
  const misspelt = differing.filter((name) => nearestName(seen[name] ?? '', [mode.match[name] ?? '']))
  return differing.length - misspelt.length / 2
}
