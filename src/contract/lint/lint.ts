import type { Contract } from '../contract.ts'
import { lintFiles } from './files.ts'
import { type Found, type LintFinding, type LintWorld, lintCodes } from './finding.ts'
import { lintGrants } from './grants.ts'
import { lintModes } from './modes.ts'
import { lintRules } from './rules.ts'
import { lintSecrets } from './secrets.ts'
import { lintExamples, lintVariables } from './variables.ts'

const rules = [lintModes, lintVariables, lintSecrets, lintRules]

/** What contradicts itself in a contract, in the order of the file. With `isThere` also the files that it refers to are looked for. */
export function lintContract(
  contract: Contract,
  { secretKindOf, isThere }: LintWorld,
): readonly LintFinding[] {
  const { environment } = contract
  const found = [
    ...lintGrants(contract),
    ...(environment ? rules.flatMap((rule) => rule(environment, contract)) : []),
    ...(environment ? lintExamples(environment, secretKindOf) : []),
    ...(environment && isThere ? lintFiles(environment, isThere) : []),
  ]
  return found.map((found): LintFinding => ({ ...found, level: lintCodes[found.code][0] })).sort(inFileOrder)
}

function inFileOrder(left: Found, right: Found): number {
  const lines = left.place.line - right.place.line || left.place.column - right.place.column
  if (lines !== 0) return lines
  return left.code < right.code ? -1 : 1
}
