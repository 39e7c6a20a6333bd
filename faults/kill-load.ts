import { setTimeout as pause } from 'node:timers/promises'
import type { Client, CredentialRequest } from '../client/src/index.ts'
import type { Serving, Site } from '../test/end-to-end/site.ts'
import type { Acknowledged } from './aftermath.ts'
import type { Point } from './tripwire.ts'

/** Callers at once, over three agents of two tenants. */
const callers = ['agent-7', 'agent-7', 'agent-7', 'agent-8', 'agent-8', 'agent-8', 'robot', 'robot'] as const
const roundMs = 30_000

/** What stays the same from one kill to the next. */
export type Ground = {
  readonly site: Site
  /** The broker's program, with a point at every boundary. */
  readonly program: string
  readonly environment: Readonly<Record<string, string>>
  readonly wanted: readonly CredentialRequest[]
}

export type Plan = { readonly point: Point; readonly passage: number; readonly acknowledged: Acknowledged }

/** Starts the broker, loads it until it has killed itself, and notes what it acknowledged. */
export async function loadUntilKilled(ground: Ground, plan: Plan): Promise<void> {
  const environment = {
    ...ground.environment,
    FAULT_POINT: plan.point,
    FAULT_PASSAGE: String(plan.passage),
  }
  const serving = await ground.site
    .serve({ environment, program: [ground.program] })
    .catch((thrown: unknown) => {
      // It may end what was left of the round before, and be killed doing so, before it listens.
      if (thrown instanceof Error && thrown.message.includes('SIGKILL')) return undefined
      throw thrown
    })
  if (!serving) return
  const late = setTimeout(() => serving.child.kill('SIGTERM'), roundMs)
  await Promise.all(callers.map((agent) => callUntilKilled(serving, agent, ground.wanted, plan.acknowledged)))
  while (isRunning(serving)) await pause(5)
  clearTimeout(late)
  if (serving.child.signalCode !== 'SIGKILL') throw new Error(`Nothing passed ${plan.point}.`)
}

function isRunning({ child }: Serving): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function callUntilKilled(
  serving: Serving,
  agent: string,
  wanted: Ground['wanted'],
  acknowledged: Acknowledged,
): Promise<void> {
  const client = serving.client(agent)
  try {
    while (isRunning(serving)) await issueAndPerhapsRevoke(client, oneOf(wanted), acknowledged)
  } finally {
    client.close()
  }
}

function oneOf(wanted: Ground['wanted']): CredentialRequest {
  const one = wanted[Math.floor(Math.random() * wanted.length)]
  if (!one) throw new Error('There is nothing to ask for.')
  return one
}

/** Only an answer that arrived whole counts as acknowledged; everything else may or may not have happened. */
async function issueAndPerhapsRevoke(
  client: Client,
  request: CredentialRequest,
  acknowledged: Acknowledged,
): Promise<void> {
  try {
    const issued = await client.request(request)
    if (issued.kind === 'denied') throw new Error(`It was denied: ${issued.rule}`)
    acknowledged.issued.push({ leaseId: issued.lease_id, receipt: issued.receipt })
    if (Math.random() < 0.5) return
    const { proof } = await client.revoke(issued.lease_id)
    if (proof === 'refused') acknowledged.revoked.add(issued.lease_id)
  } catch {
    await pause(2)
  }
}
