import type { Contract } from '../contract/index.ts'
import { type EnvironmentSeen, finding, type HygieneFinding } from '../hygiene/index.ts'
import type { ProbeFinding } from '../planes/index.ts'
import { type Probed, probeService } from './planes-probe.ts'
import type { ProbeMeans } from './probe-means.ts'

/** What a running service shows beside an environment and its sources. */
export type ProbedProhibitions = {
  readonly findings: readonly HygieneFinding[]
  /** Crossings that a prohibition names and nothing tried, by prohibition. */
  readonly untried: (detector: { readonly plane: string; readonly with: string }) => string | undefined
  /** Answers that do not tell. */
  readonly undecided: readonly string[]
  readonly answered: boolean
}

/** Starts the probes of `planes probe` on the service at this address. Throws `option_invalid` before anything is sent. */
export async function probeProhibitions(
  contract: Contract,
  url: string,
  means: ProbeMeans & { readonly variables: EnvironmentSeen },
): Promise<ProbedProhibitions> {
  const { probes, findings }: Probed = await probeService(contract, url, means)
  return {
    findings: findings.flatMap((found) => findingOf(contract, found)),
    untried: ({ plane, with: shown }) =>
      probes.some(({ tried }) => tried.plane === plane && tried.shown === shown)
        ? undefined
        : means.credential.has(shown)
          ? `no endpoint of the plane ${plane} was reached by a path of its own`
          : `there was no credential of the plane ${shown} to try it with`,
    undecided: findings.flatMap(({ severity, message }) => (severity === undefined ? [message] : [])),
    answered: probes.some(({ answer }) => answer.kind === 'answered'),
  }
}

function findingOf({ file }: Contract, found: ProbeFinding): readonly HygieneFinding[] {
  const { severity, message, seen, tried, prohibition, reason } = found
  if (severity === undefined) return []
  return [
    finding(
      {
        code: 'probe',
        severity,
        message: `${message.replace(/\.$/, '')} (${seen}).`,
        ...(reason !== undefined && { reason }),
        ...(prohibition !== undefined && { prohibition }),
        file,
        line: tried.place?.line ?? 1,
        next: nextFor[found.rule],
      },
      `${found.rule} ${tried.endpoint ?? tried.path} ${tried.shown ?? ''}`,
    ),
  ]
}

const nextFor: Readonly<Record<ProbeFinding['rule'], string>> = {
  'plane-crossed': 'have the endpoint refuse it; `sallyport planes serve` does, in front of any service',
  unauthenticated: 'have the endpoint ask for its credential; `sallyport planes serve` does',
  'plane-closed': 'have the service refuse it in this mode',
  'gate-open': 'have the feature give the answer of its gate in this mode',
  'unknown-endpoint': 'list the endpoint under its plane, or have the service refuse it',
  'right-refused': 'name a credential that holds',
  unclear: 'name a real path by --path',
}
