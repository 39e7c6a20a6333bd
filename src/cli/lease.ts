import type { Client, EndedLease, Lease, LeaseQuery, RevocationFilter } from '../../client/src/index.ts'
import { shellWord } from '../broker/index.ts'
import { Failure } from '../primitives/index.ts'
import { type ConnectionOptions, withBroker } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { paint, printable, type Terminal } from './terminal.ts'

/** `sallyport lease list` */
export function listLeases(io: Terminal, options: ConnectionOptions & LeaseQuery): Promise<number> {
  return withBroker(options, async (client) => {
    const page = await client.leases(queryOf(options))
    if (io.json) io.data(page)
    else if (page.leases.length === 0) io.say('No lease.')
    else for (const line of leaseTable(page.leases, process.stdout.columns)) io.out(line)
    if (page.next !== undefined && !io.json) io.say(`Next: ${listCommand({ ...options, after: page.next })}`)
    return exitCodes.ok[0]
  })
}

/** The same question again: where a filter or the broker were left out, another would be asked. */
function listCommand({ after, ...flags }: ConnectionOptions & LeaseQuery): string {
  const words = Object.entries({ ...flags, after }).map(([name, value]) => {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return `--${flag} ${shellWord(String(value))}`
  })
  return ['sallyport lease list', ...words].join(' ')
}

/** `sallyport lease revoke [ID]`: one lease, or all of an agent, tenant, service or mode. */
export async function revokeLeases(
  io: Terminal,
  id: string | undefined,
  options: ConnectionOptions & RevocationFilter,
): Promise<number> {
  const filter = queryOf(options)
  const filters = Object.keys(filter).length
  if ((id === undefined) === (filters === 0)) {
    throw new Failure('option_invalid', 'Say which leases to end: one id, or a filter.', {
      next: 'sallyport lease list, or give --agent, --tenant, --service or --mode',
    })
  }
  return id === undefined ? revokeWhere(io, filter, options) : revokeOne(io, id, options)
}

function revokeOne(io: Terminal, id: string, options: ConnectionOptions): Promise<number> {
  return withBroker(options, async (client) => {
    const ended = await client.revoke(id)
    if (io.json) io.data(ended)
    else io.out(`${ended.lease.lease_id} ${ended.lease.state}: ${proofWords[ended.proof]}`)
    return exitCodes[ended.proof === 'pending' ? 'upstream' : 'ok'][0]
  })
}

function revokeWhere(io: Terminal, filter: RevocationFilter, options: ConnectionOptions): Promise<number> {
  return withBroker(options, async (client) => {
    const tally = await client.revokeWhere(filter)
    const { refused, unproven, pending } = tally
    if (io.json) io.data(tally)
    else io.out(`ended ${refused + unproven} (${refused} tried and refused), pending ${pending}`)
    return exitCodes[pending > 0 ? 'upstream' : 'ok'][0]
  })
}

/** Ending is idempotent, so it is tried once more: the kept connection may have died while the child ran. */
export async function endLease(io: Terminal, client: Client, leaseId: string): Promise<void> {
  try {
    const { proof } = await client.revoke(leaseId).catch(() => client.revoke(leaseId))
    if (proof === 'pending') io.say(`The lease ${leaseId} could not be ended yet; the broker goes on trying.`)
  } catch {
    io.say(`The lease ${leaseId} could not be ended from here; it ends when its time is over.`)
    io.say(`Next: sallyport lease revoke ${leaseId}`)
  }
}

const proofWords: Readonly<Record<EndedLease['proof'], string>> = {
  refused: 'the dead credential was tried, and refused',
  unproven: 'over; it could not be tried',
  pending: 'the provider did not end it yet; the broker goes on trying',
}

function queryOf({ tenant, agent, service, mode, state, limit, after }: LeaseQuery): LeaseQuery {
  const query = { tenant, agent, service, mode, state, limit, after }
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

/** One line a lease; where that is wider than the terminal, two. `columns` is absent where nobody looks. */
export function leaseTable(leases: readonly Lease[], columns?: number): readonly string[] {
  const rows = [
    ['LEASE', 'STATE', 'UNTIL', 'AGENT', 'SCOPE'],
    ...leases.map((lease) => {
      const until = lease.expires_at.replace(/\.\d+Z$/, 'Z')
      return [lease.lease_id, lease.state, until, lease.agent_id, lease.scope].map(printable)
    }),
  ]
  const whole = aligned(rows)
  const [first = '', ...others] =
    columns === undefined || whole.every((line) => line.length <= columns) ? whole : folded(rows)
  return [...first.split('\n').map((line) => paint('bold', line)), ...others]
}

function folded(rows: readonly (readonly string[])[]): readonly string[] {
  const heads = aligned(rows.map((row) => row.slice(0, 3)))
  const tails = aligned(rows.map((row) => row.slice(3)))
  return heads.map((head, at) => `${head}\n  ${tails[at] ?? ''}`)
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (at: number) => Math.max(...rows.map((row) => row[at]?.length ?? 0))
  const widths = (rows[0] ?? []).map((_, at) => width(at))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
