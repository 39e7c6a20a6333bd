import { type Contract, requireEnvironment } from '../contract/index.ts'
import { finding, type HygieneFinding } from './finding.ts'

/** Attacker-controlled and possibly secret: no value of it is ever repeated. */
export type EnvironmentSeen = Readonly<Record<string, string | undefined>>

/** Variables that a prohibition forbids, where they are on or, as it says, set at all. A name without a value is not set. */
export function findInEnvironment(contract: Contract, seen: EnvironmentSeen): readonly HygieneFinding[] {
  return [...requireEnvironment(contract).prohibitions.values()].flatMap((prohibition) =>
    prohibition.detectors.flatMap((detector) => {
      if (detector.kind !== 'environment') return []
      const { when, variables } = detector
      const isMatch = when === 'truthy' ? isOn : isSet
      return variables
        .filter((name) => isMatch(seen[name]))
        .map((variable) =>
          finding({
            code: 'prohibited-environment',
            severity: prohibition.severity,
            message: `${variable} is ${when === 'truthy' ? 'on' : 'set'}, which ${prohibition.id} forbids everywhere.`,
            reason: prohibition.reason,
            prohibition: prohibition.id,
            variable,
            file: contract.file,
            line: prohibition.place.line,
            next: `unset ${variable}`,
          }),
        )
    }),
  )
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== ''
}

/** Whatever is not plainly off is on, as for `check`: programs differ in what they take for yes. */
function isOn(value: string | undefined): boolean {
  return isSet(value) && !/^(?:0|false|no|off)$/i.test(value ?? '')
}
