import type { Lease, LeaseQuery, RevocationFilter } from '../../client/src/index.ts'
import { type ConnectionOptions, connect } from './connection.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal } from './terminal.ts'

/** `sallyport lease list` */
export async function listLeases(io: Terminal, options: ConnectionOptions & LeaseQuery): Promise<number> {
  const { client } = connect(options)
  try {
    const page = await client.leases(queryOf(options))
    if (io.json) io.out(JSON.stringify(page))
    else if (page.leases.length === 0) io.say('No lease.')
    else for (const line of table(page.leases)) io.out(line)
    if (page.next !== undefined && !io.json) io.say(`Next: sallyport lease list --after ${page.next}`)
    return exitCodes.ok[0]
  } finally {
    client.close()
  }
}

/** `sallyport lease revoke [ID]`: one lease, or all of an agent, tenant, service or mode. */
export async function revokeLeases(
  io: Terminal,
  id: string | undefined,
  options: ConnectionOptions & RevocationFilter,
): Promise<number> {
  const { client } = connect(options)
  try {
    if (id === undefined) {
      const tally = await client.revokeWhere(queryOf(options))
      if (io.json) io.out(JSON.stringify(tally))
      else
        io.out(
          `ended ${tally.refused + tally.unproven} (${tally.refused} tried and refused), pending ${tally.pending}`,
        )
      return tally.pending > 0 ? exitCodes.upstream[0] : exitCodes.ok[0]
    }
    const ended = await client.revoke(id)
    if (io.json) io.out(JSON.stringify(ended))
    else io.out(`${ended.lease.lease_id} ${ended.lease.state}: ${proofWords[ended.proof]}`)
    return ended.proof === 'pending' ? exitCodes.upstream[0] : exitCodes.ok[0]
  } finally {
    client.close()
  }
}

const proofWords = {
  refused: 'the dead credential was tried, and refused',
  unproven: 'over; it could not be tried',
  pending: 'the provider did not end it yet; the broker goes on trying',
} as const

function queryOf(options: LeaseQuery): LeaseQuery {
  const { tenant, agent, service, mode, state, limit, after } = options
  const query = { tenant, agent, service, mode, state, limit, after }
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

function table(leases: readonly Lease[]): readonly string[] {
  const rows = leases.map((lease) => [
    lease.lease_id,
    lease.state,
    lease.expires_at,
    lease.agent_id,
    lease.scope,
  ])
  const head = ['LEASE', 'STATE', 'UNTIL', 'AGENT', 'SCOPE']
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd()
  return [paint('bold', line(head)), ...rows.map(line)]
}
