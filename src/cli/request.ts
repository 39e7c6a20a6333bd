import type { CredentialRequest, Denial, Issued } from '../../client/src/index.ts'
import { type ConnectionOptions, connect } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal } from './terminal.ts'

export type RequestOptions = ConnectionOptions & {
  readonly duration?: string
  readonly purpose?: string
  readonly idempotencyKey?: string
}

/** `sallyport request SERVICE ACTION RESOURCE`: the credential goes to stdout, the truth about it to stderr. */
export async function request(
  io: Terminal,
  asked: readonly [string, string, string],
  options: RequestOptions,
): Promise<number> {
  const { client } = connect(options)
  try {
    const { idempotencyKey } = options
    const answer = await client.request(
      wanted(asked, options),
      idempotencyKey === undefined ? {} : { idempotencyKey },
    )
    if (answer.kind === 'denied') return tellDenial(io, answer)
    if (io.json) {
      io.out(JSON.stringify(answer))
      return exitCodes.ok[0]
    }
    tellIssued(io, answer)
    io.out(JSON.stringify(answer.credential, null, 2))
    io.say(`Next: sallyport lease revoke ${answer.lease_id}`)
    return exitCodes.ok[0]
  } finally {
    client.close()
  }
}

/** `sallyport explain SERVICE ACTION RESOURCE`: the same decision, and nothing is minted. */
export async function explain(
  io: Terminal,
  asked: readonly [string, string, string],
  options: RequestOptions,
): Promise<number> {
  const { client } = connect(options)
  try {
    const explanation = await client.explain(wanted(asked, options))
    const { decision, rule, reason, contract, next } = explanation
    if (io.json) io.out(JSON.stringify(explanation))
    else {
      io.out(`${paint(decision === 'allow' ? 'green' : 'red', decision)}  ${rule}`)
      io.out(`  ${reason}`)
      io.out(`  ${contract.file}:${contract.line}:${contract.column}`)
      io.say(`Next: ${next}`)
    }
    return decision === 'allow' ? exitCodes.ok[0] : exitCodes.denied[0]
  } finally {
    client.close()
  }
}

export function wanted(
  [service, action, resource]: readonly [string, string, string],
  options: RequestOptions,
): CredentialRequest {
  const { duration, purpose } = options
  return {
    service,
    action,
    resource,
    ...(duration === undefined ? {} : { duration }),
    ...(purpose === undefined ? {} : { purpose }),
  }
}

export function tellDenial(io: Terminal, denial: Denial): number {
  if (io.json) io.out(JSON.stringify(denial))
  else {
    io.say(`${paint('red', 'denied', process.stderr)} ${denial.detail} (${denial.rule})`)
    io.say(`  ${denial.contract.file}:${denial.contract.line}:${denial.contract.column}`)
    io.say(`Next: ${denial.next}`)
  }
  return exitCodes.denied[0]
}

function tellIssued(io: Terminal, issued: Issued): void {
  const {
    lease_id,
    meaning,
    effective,
    expires_in,
    residual_seconds,
    enforced_by,
    revocation,
    revocation_note,
  } = issued
  const residual = residual_seconds === 0 ? '' : `; the provider remembers it ${residual_seconds} s longer`
  io.say(`${paint('green', 'issued', process.stderr)} ${lease_id}${issued.replayed ? ' (again)' : ''}`)
  io.say(`  meaning     ${meaning}`)
  io.say(`  until       ${effective.not_after} (${expires_in} s, by ${enforced_by}${residual})`)
  io.say(`  revocation  ${revocation}: ${revocation_note}`)
  io.say(`  receipt     entry ${issued.receipt.index} of the log`)
}
