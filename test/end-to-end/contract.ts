import { agents, spiffeId } from './site.ts'

/** What differs between the contracts of these tests, each part as YAML without its indentation. */
export type ContractParts = {
  readonly issuers?: string
  readonly identities?: string
  readonly providers: string
  readonly services: string
  readonly grants: string
  readonly alerts?: string
}

/** Tenants and roles of the agents that a site has certificates for. */
const roster: Readonly<Record<(typeof agents)[number], string>> = {
  'agent-7': 'tenant: acme',
  'agent-8': 'tenant: acme',
  robot: 'tenant: globex',
  ops: 'tenant: acme\n    roles: [operator, auditor]',
  warden: 'tenant: acme\n    roles: [platform]',
}

/** A contract with one mode `TEST`, two tenants, and the agents of a site known by their SPIFFE IDs. */
export function contractText(parts: ContractParts): string {
  const { issuers, identities = '', providers, services, grants, alerts } = parts
  const known = agents.map(
    (agent) =>
      `  ${agent}:\n    plane: machine\n    ${roster[agent]}\n    proofs: [{ spiffe: "${spiffeId(agent)}" }]\n`,
  )
  return `contract: environment/v1
metadata: { name: end-to-end, onMismatch: fail-stop }
discriminators: [AOS_MODE]
modes:
  TEST: { class: test, match: { AOS_MODE: test }, ceiling: { duration: 1h } }
planes:
  machine: { scheme: { type: apiKey, in: header, name: X-AOS-Key } }
  human: { scheme: { type: http, scheme: bearer, bearerFormat: JWT } }
tenants: [acme, globex]
${issuers === undefined ? '' : `issuers:\n${indented(issuers)}`}
identities:
${known.join('')}${indented(identities)}
providers:
${indented(providers)}
services:
${indented(services)}
grants:
${indented(grants)}
${alerts === undefined ? '' : `alerts:\n${indented(alerts)}`}
`
}

function indented(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n')
}
