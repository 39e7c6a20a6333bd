import type { CredentialRequest, Denial, Explanation, Issued } from '../../client/src/index.ts'
import { type ConnectionOptions, withBroker } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { jsonText, paint, type Terminal } from './terminal.ts'

export type RequestOptions = ConnectionOptions & {
  readonly duration?: string
  readonly purpose?: string
  readonly idempotencyKey?: string
}

/** `sallyport request SERVICE ACTION RESOURCE`: the credential goes to stdout, the truth about it to stderr. */
export function request(
  io: Terminal,
  asked: readonly [string, string, string],
  options: RequestOptions,
): Promise<number> {
  return withBroker(options, async (client) => {
    const { idempotencyKey } = options
    const how = idempotencyKey === undefined ? {} : { idempotencyKey }
    const answer = await client.request(wanted(asked, options), how)
    if (answer.kind === 'denied') return tellDenial(io, answer)
    if (io.json) io.data(answer)
    else tellIssued(io, answer)
    return exitCodes.ok[0]
  })
}

/** `sallyport explain SERVICE ACTION RESOURCE`: the same decision, and nothing is minted. */
export function explain(
  io: Terminal,
  asked: readonly [string, string, string],
  options: RequestOptions,
): Promise<number> {
  return withBroker(options, async (client) => {
    const explanation = await client.explain(wanted(asked, options))
    if (io.json) io.data(explanation)
    else tellExplanation(io, explanation)
    return exitCodes[explanation.decision === 'allow' ? 'ok' : 'denied'][0]
  })
}

export function wanted(
  [service, action, resource]: readonly [string, string, string],
  { duration, purpose }: RequestOptions,
): CredentialRequest {
  return {
    service,
    action,
    resource,
    ...(duration === undefined ? {} : { duration }),
    ...(purpose === undefined ? {} : { purpose }),
  }
}

/** Gives the exit code of a denial. */
export function tellDenial(io: Terminal, denial: Denial): number {
  if (io.json) io.data(denial)
  else {
    io.say(`${paint('red', 'denied', process.stderr)} ${denial.detail} (${denial.rule})`)
    io.say(`  ${placeOf(denial)}`)
    io.say(`Next: ${denial.next}`)
  }
  return exitCodes.denied[0]
}

function tellIssued(io: Terminal, issued: Issued): void {
  const { lease_id, effective, residual_seconds } = issued
  const residual = residual_seconds === 0 ? '' : `; the provider remembers it ${residual_seconds} s longer`
  io.say(`${paint('green', 'issued', process.stderr)} ${lease_id}${issued.replayed ? ' (again)' : ''}`)
  io.say(`  meaning     ${issued.meaning}`)
  io.say(`  until       ${effective.not_after} (${issued.expires_in} s, by ${issued.enforced_by}${residual})`)
  io.say(`  revocation  ${issued.revocation}: ${issued.revocation_note}`)
  io.say(`  receipt     entry ${issued.receipt.index} of the log`)
  io.out(jsonText(issued.credential, 2))
  io.say(`Next: sallyport lease revoke ${lease_id}`)
}

function tellExplanation(io: Terminal, explanation: Explanation): void {
  const { decision, rule, reason, next } = explanation
  io.out(`${paint(decision === 'allow' ? 'green' : 'red', decision)}  ${rule}`)
  io.out(`  ${reason}`)
  io.out(`  ${placeOf(explanation)}`)
  // Without something near that is allowed the broker names this very command.
  const same = next.startsWith('sallyport explain ')
  io.say(`Next: ${same ? 'ask the owner of the contract for a grant' : next}`)
}

function placeOf({ contract }: Pick<Explanation, 'contract'>): string {
  return `${contract.file}:${contract.line}:${contract.column}`
}
