import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkExample } from '../compiler/index.ts'
import {
  type Contract,
  type ContractProblem,
  diffContracts,
  type FileRule,
  formatDiff,
  formatLint,
  formatProblems,
  type LintFinding,
  lintCodes,
  lintContract,
  parseContract,
  requireContract,
  type SarifLevel,
  sarifLog,
  unapproved,
} from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { secretKindOf } from '../references/index.ts'
import { readContractFile } from './contract-file.ts'
import { showContract } from './contract-show.ts'
import { exitCodes } from './exit-code.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

type Format = 'text' | 'json' | 'sarif'

/**
 * `contract lint`: what is wrong or contradicts itself, and with a folder of sources also what the contract says of files there. Gives 6 for a
 * contract that is not valid, 1 where a finding is an error.
 */
export function lint(
  io: Terminal,
  file: string,
  { format, source: folder }: { readonly format: Format; readonly source?: string },
): number {
  const source = readContractFile(file)
  const parsed = parseContract(source)
  if (parsed.kind === 'problems') {
    tellFindings(io, { file, format, findings: parsed.problems.map(asFinding) }, () =>
      formatProblems(parsed.problems, source),
    )
    return exitCodes.contract[0]
  }
  const isThere = folder === undefined ? undefined : filesIn(folder)
  const findings = [
    ...(folder === undefined ? [] : exampleFindings(parsed.contract, folder)),
    ...lintContract(parsed.contract, { secretKindOf, isThere }),
  ]
  tellFindings(io, { file, format, findings }, () => formatLint(findings, { file }))
  return findings.some(({ level }) => level === 'error') ? exitCodes.failed[0] : exitCodes.ok[0]
}

/** Throws `option_invalid` where there is no such folder: then everything would be missing. */
function filesIn(folder: string): (path: string) => boolean {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure('option_invalid', `${folder} is no folder.`, {
      next: 'name the root of the repository',
    })
  return (path) => existsSync(join(folder, path))
}

/** Example files hold every name that they are to cover, and no value but the contract's placeholders. */
function exampleFindings(contract: Contract, folder: string): readonly LintFinding[] {
  return [...(contract.environment?.files.values() ?? [])]
    .filter(({ path, role }) => role === 'example' && existsSync(join(folder, path)))
    .flatMap(({ path, covers, place }) =>
      exampleProblems(contract, { folder, path, covers }).map(({ message, next }) => ({
        code: 'example-wrong',
        level: lintCodes['example-wrong'][0],
        message,
        place,
        next,
      })),
    )
}

function exampleProblems(
  contract: Contract,
  { folder, path, covers }: { readonly folder: string } & Pick<FileRule, 'path' | 'covers'>,
): readonly { readonly message: string; readonly next: string }[] {
  const text = readText(join(folder, path))
  if (text === undefined) return [{ message: `${path} cannot be read.`, next: 'make it a file that can be' }]
  return checkExample(contract, text, covers).map(({ line, message, next }) => ({
    message: `${path}:${line}: ${message}`,
    next,
  }))
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A problem of the format, beside the findings of a contract that is valid. */
type Told = Omit<LintFinding, 'code' | 'next'> & { readonly code: string; readonly next?: string }

function asFinding(problem: ContractProblem): Told {
  return { code: invalid.id, level: invalid.level, ...problem }
}

const invalid = { id: 'contract-invalid', level: 'error', text: 'The contract is not valid.' } as const

function tellFindings(
  io: Terminal,
  { file, format, findings }: { file: string; format: Format; findings: readonly Told[] },
  text: () => string,
): void {
  if (format === 'text') io.out(text().trimEnd())
  else io.data(format === 'sarif' ? sarifOf(file, findings) : { file, findings })
}

function sarifOf(file: string, findings: readonly Told[]) {
  const rules = Object.entries(lintCodes).map(
    ([id, [level, words]]): { id: string; level: SarifLevel; text: string } => ({
      id,
      level,
      text: words,
    }),
  )
  return sarifLog({
    version,
    rules: [invalid, ...rules],
    results: findings.map(({ code, level, message, next, place }) => ({
      ruleId: code,
      level,
      message: next === undefined ? message : `${message} Next: ${next}.`,
      file,
      place,
    })),
  })
}

/** `contract diff`: which rules got looser and which tighter. Gives 3 where an owner of a looser one has not approved. */
export function diff(
  io: Terminal,
  files: { before: string; after: string },
  options: { approvedBy?: readonly string[] },
): number {
  const sides = { before: contractIn(files.before), after: contractIn(files.after) }
  const changes = diffContracts(sides)
  const missing = unapproved(changes, options.approvedBy ?? [])
  if (io.json)
    io.data({ before: sides.before.digest, after: sides.after.digest, changes, unapproved: missing })
  else {
    io.out(formatDiff(changes, sides).trimEnd())
    if (missing.length > 0) {
      io.say(`Not approved by ${missing.join(', ')}.`)
      io.say(`Next: have each of them agree, then add --approved-by ${missing.map(quoted).join(' ')}`)
    }
  }
  return missing.length > 0 ? exitCodes.denied[0] : exitCodes.ok[0]
}

function contractIn(file: string): Contract {
  return requireContract(readContractFile(file))
}

function quoted(owner: string): string {
  return /^[\w.-]+$/.test(owner) ? owner : `'${owner.replaceAll("'", "'\\''")}'`
}

/** `contract show`: what a contract says, or what it says of one name. */
export function show(io: Terminal, file: string, name: string | undefined): number {
  return showContract(io, contractIn(file), name)
}
