import type { Client, CredentialRequest, Denial, Explanation, Issued } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'
import { type ConnectionOptions, withBroker } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { endLease } from './lease.ts'
import { handOver, jsonText, paint, type Terminal } from './terminal.ts'

export type RequestOptions = ConnectionOptions & {
  readonly duration?: string
  readonly purpose?: string
  readonly idempotencyKey?: string
  /** A reference of the contract, in place of the three words. */
  readonly credentialRef?: string
}

/** Service, action and resource; what is absent was not said. */
export type AskedWords = readonly [string | undefined, string | undefined, string | undefined]

/** `sallyport request SERVICE ACTION RESOURCE`, or by `--credential-ref`: the credential goes to stdout, the truth about it to stderr. */
export function request(io: Terminal, asked: AskedWords, options: RequestOptions): Promise<number> {
  const body = wanted(asked, options)
  return withBroker(options, async (client) => {
    const { idempotencyKey } = options
    const how = idempotencyKey === undefined ? {} : { idempotencyKey }
    const answer = await client.request(body, how)
    if (answer.kind === 'denied') return tellDenial(io, answer)
    if (!io.json) tellIssued(io, answer)
    const text = io.json ? jsonText(answer) : jsonText(answer.credential, 2)
    await handOver(text, () => takeBack(io, client, { leaseId: answer.lease_id, idempotencyKey }))
    if (!io.json) io.say(`Next: sallyport lease revoke ${answer.lease_id}`)
    return exitCodes.ok[0]
  })
}

/** A credential that reached nobody must not live, unless its key can ask for it again. */
async function takeBack(
  io: Terminal,
  client: Client,
  { leaseId, idempotencyKey }: { readonly leaseId: string; readonly idempotencyKey: string | undefined },
): Promise<void> {
  if (idempotencyKey === undefined) {
    io.say(`The credential reached nobody: its lease ${leaseId} is being ended.`)
    await endLease(io, client, leaseId)
    return
  }
  io.say(`The credential reached nobody; its lease ${leaseId} goes on.`)
  io.say(`Next: the same command, with the same --idempotency-key; or sallyport lease revoke ${leaseId}`)
}

/** `sallyport explain SERVICE ACTION RESOURCE`, or by `--credential-ref`: the same decision, and nothing is minted. */
export function explain(io: Terminal, asked: AskedWords, options: RequestOptions): Promise<number> {
  const body = wanted(asked, options)
  return withBroker(options, async (client) => {
    const explanation = await client.explain(body)
    if (io.json) io.data(explanation)
    else tellExplanation(io, explanation)
    return exitCodes[explanation.decision === 'allow' ? 'ok' : 'denied'][0]
  })
}

/** The body of a request. Throws `option_invalid` for what is neither three words nor a reference alone. */
export function wanted(
  asked: AskedWords,
  { credentialRef, duration, purpose }: Pick<RequestOptions, 'credentialRef' | 'duration' | 'purpose'>,
): CredentialRequest {
  const more = {
    ...(duration === undefined ? {} : { duration }),
    ...(purpose === undefined ? {} : { purpose }),
  }
  const [service, action, resource] = asked
  if (credentialRef !== undefined && asked.every((word) => word === undefined))
    return { credentialRef, ...more }
  if (credentialRef === undefined && service !== undefined && action !== undefined && resource !== undefined)
    return { service, action, resource, ...more }
  const message =
    credentialRef === undefined
      ? 'A credential is asked for by a service, an action and a resource, or by --credential-ref.'
      : 'A credential reference stands in place of service, action and resource, not beside them.'
  throw new Failure('option_invalid', message, { next: 'the same command with --help says what it takes' })
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
