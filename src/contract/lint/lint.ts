import type { Contract } from '../contract.ts'
import { type Found, type LintFinding, lintCodes } from './finding.ts'
import { lintModes } from './modes.ts'
import { lintRules } from './rules.ts'
import { lintSecrets } from './secrets.ts'
import { lintVariables } from './variables.ts'

const rules = [lintModes, lintVariables, lintSecrets, lintRules]

/** What contradicts itself in a contract, in the order of the file; nothing for one without an environment. */
export function lintContract(contract: Contract): readonly LintFinding[] {
  const { environment } = contract
  if (!environment) return []
  return rules
    .flatMap((rule) => rule(environment, contract))
    .map((found): LintFinding => ({ ...found, level: lintCodes[found.code][0] }))
    .sort(inFileOrder)
}

function inFileOrder(left: Found, right: Found): number {
  const lines = left.place.line - right.place.line || left.place.column - right.place.column
  if (lines !== 0) return lines
  return left.code < right.code ? -1 : 1
}
