import { Failure, sha256Hex } from '../primitives/index.ts'
import { buildContract } from './build.ts'
import type { Contract, ContractProblem } from './contract.ts'
import { readDocument } from './document.ts'
import { collectProblems } from './problem.ts'
import { serviceRule } from './rules/catalogue.ts'
import { environmentRule } from './rules/environment.ts'
import { grantRule } from './rules/grants.ts'
import { identityRule } from './rules/identities.ts'
import { modeRule } from './rules/modes.ts'
import { planeRule } from './rules/planes.ts'
import { providerRule } from './rules/providers.ts'
import type { Rule } from './rules/reference.ts'
import { variableRule } from './rules/variables.ts'
import { contractShape } from './shape.ts'
import { reportShape } from './shape-problems.ts'

/** A contract as it was read; `file` is the path as it was given and stands in messages alone. */
export type ContractSource = { readonly text: string; readonly file: string }

export type ParsedContract =
  | { readonly kind: 'contract'; readonly contract: Contract }
  /** Every problem, in the order of the file. */
  | { readonly kind: 'problems'; readonly problems: readonly ContractProblem[] }

const rules: readonly Rule[] = [
  reportShape,
  modeRule,
  planeRule,
  variableRule,
  environmentRule,
  identityRule,
  providerRule,
  serviceRule,
  grantRule,
]

/** Reads a contract and gathers everything that is wrong with it at once. Never throws for what stands in the text. */
export function parseContract({ text, file }: ContractSource): ParsedContract {
  const { report, sorted } = collectProblems()
  const root = readDocument(text, report)
  if (root) for (const rule of rules) rule(root, report)
  const problems = sorted()
  if (!root || problems.length > 0) return { kind: 'problems', problems }
  const shape = contractShape.parse(root.value)
  return { kind: 'contract', contract: buildContract({ shape, root, file, digest: contractDigest(text) }) }
}

/** As `parseContract`, but throws `contract_invalid` with a line `file:line:column: message` for each problem. */
export function requireContract(source: ContractSource): Contract {
  const parsed = parseContract(source)
  if (parsed.kind === 'contract') return parsed.contract
  throw contractInvalid(source.file, parsed.problems)
}

const problemsInMessageMax = 50

/** A contract that is not valid, with every problem: `formatProblems` shows them to a person. */
export class ContractInvalid extends Failure {
  readonly file: string
  readonly problems: readonly ContractProblem[]

  constructor(file: string, problems: readonly ContractProblem[]) {
    const shown = problems
      .slice(0, problemsInMessageMax)
      .map(({ place, message }) => `${file}:${place.line}:${place.column}: ${message}`)
    const rest = problems.length - shown.length
    const next = problems[0]?.next
    super(
      'contract_invalid',
      [...shown, ...(rest > 0 ? [`… and ${rest} more.`] : [])].join('\n'),
      next === undefined ? {} : { next },
    )
    this.file = file
    this.problems = problems
  }
}

/** The failure that stands for problems in a contract; adapters use it for what they find in their own configuration. */
export function contractInvalid(file: string, problems: readonly ContractProblem[]): ContractInvalid {
  return new ContractInvalid(file, problems)
}

/** `sha256:` and the hexadecimal SHA-256 of the file's bytes, which are the UTF-8 of its text. */
export function contractDigest(text: string): string {
  return `sha256:${sha256Hex(text)}`
}
