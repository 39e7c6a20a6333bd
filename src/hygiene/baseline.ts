import { Failure } from '../primitives/index.ts'
import { finding, type HygieneFinding } from './finding.ts'

/** Findings that somebody accepts, by their id, each with the reason. */
export type Baseline = { readonly file: string; readonly accepted: ReadonlyMap<string, string> }

const entriesMax = 10_000

/** Reads `{ "accepted": [{ "finding": "<id>", "reason": "…" }] }`; throws `option_invalid` for anything else, also an entry without a reason. */
export function parseBaseline({ file, text }: { file: string; text: string }): Baseline {
  const entries = entriesOf(text)
  if (!entries || entries.length > entriesMax) throw invalid(file)
  const accepted = entries.map((entry): [string, string] => {
    if (typeof entry !== 'object' || entry === null || !('finding' in entry) || !('reason' in entry))
      throw invalid(file)
    const { finding: id, reason, ...rest } = entry
    const isWhole = typeof id === 'string' && /^[0-9a-f]{16}$/.test(id) && typeof reason === 'string'
    if (!isWhole || reason.trim() === '' || Object.keys(rest).length > 0) throw invalid(file)
    return [id, reason]
  })
  return { file, accepted: new Map(accepted) }
}

/** What is left to be told, how many were accepted, and which of the accepted ids were not found. */
export function applyBaseline(
  findings: readonly HygieneFinding[],
  { accepted }: Baseline,
): {
  readonly findings: readonly HygieneFinding[]
  readonly acceptedCount: number
  readonly unfound: readonly string[]
} {
  const seen = new Set(findings.map(({ id }) => id))
  const left = findings.filter(({ id }) => !accepted.has(id))
  return {
    findings: left,
    acceptedCount: findings.length - left.length,
    unfound: [...accepted.keys()].filter((id) => !seen.has(id)),
  }
}

/** An accepted finding that is not there any more; only who looked everywhere can say so. */
export function staleEntry(id: string, file: string): HygieneFinding {
  return finding(
    {
      code: 'baseline-stale',
      severity: 'low',
      message: `There is no finding ${id} any more.`,
      file,
      line: 1,
      next: 'take its entry out of the baseline',
    },
    id,
  )
}

function entriesOf(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('accepted' in value)) return undefined
    return Array.isArray(value.accepted) && Object.keys(value).length === 1 ? value.accepted : undefined
  } catch {
    return undefined
  }
}

function invalid(file: string): Failure {
  return new Failure('option_invalid', `The baseline ${file} is none.`, {
    next: 'write { "accepted": [{ "finding": "ID", "reason": "why it is right" }] }',
  })
}
