/** Who is in the contract of a broker that is measured. No agent alone may ask as often as the benches do (`rateLimits`). */
export const cast = {
  tenants: ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'tyrell'],
  agentsEach: 16,
} as const

export function agentsOf(tenant: string): readonly string[] {
  return Array.from({ length: cast.agentsEach }, (_, index) => `agent-${index}-of-${tenant}`)
}

export function operatorOf(tenant: string): string {
  return `operator-of-${tenant}`
}

export function spiffeIdOf(agent: string): string {
  return `spiffe://bench.test/agent/${agent}`
}

/** The contract as text. `issuer` is the address of the one who signs the agents' tokens. */
export function benchContract(options: { readonly issuer: string; readonly withPostgres: boolean }): string {
  const { issuer, withPostgres } = options
  return `contract: environment/v1
metadata: { name: bench, onMismatch: fail-stop }
discriminators: [SALLYPORT_MODE]
modes:
  BENCH: { class: test, match: { SALLYPORT_MODE: bench }, ceiling: { duration: 1h } }
planes:
  machine: { scheme: { type: apiKey, in: header, name: X-AOS-Key } }
  human: { scheme: { type: http, scheme: bearer, bearerFormat: JWT } }
tenants: [${cast.tenants.join(', ')}]
issuers:
  bench: { plane: machine, issuer: "${issuer}", audience: sallyport, algorithms: [ES256], jwks: "${issuer}/jwks", maxAge: 24h }
identities:
${cast.tenants.map(identities).join('')}providers:
  tokens: { kind: jwt, config: { issuer: "https://sallyport.example.test", audience: "https://orders.example.test" } }
${withPostgres ? postgresProviders : ''}services:
  orders-api:
    provider: tokens
    actions:
      read-order: { resource: "{order}", means: { scope: "orders:read" } }
${withPostgres ? postgresServices.map(postgresService).join('') : ''}grants:
${cast.tenants.map((tenant) => grants(tenant, withPostgres)).join('')}`
}

function identities(tenant: string): string {
  const agents = agentsOf(tenant).map(
    (agent) => `  ${agent}:
    { tenant: ${tenant}, plane: machine, proofs: [{ spiffe: "${spiffeIdOf(agent)}" }, ${token(agent)}] }
`,
  )
  const operator = operatorOf(tenant)
  return `${agents.join('')}  ${operator}:
    { tenant: ${tenant}, plane: machine, roles: [operator], proofs: [${token(operator)}] }
`
}

function token(subject: string): string {
  return `{ token: { issuer: bench, claims: { sub: "${subject}" } } }`
}

function grants(tenant: string, withPostgres: boolean): string {
  const grant = (id: string, rest: string) =>
    `  - { id: ${tenant}-${id}, tenant: ${tenant}, agents: ["*"], ${rest}, modes: [BENCH], maxDuration: 1h }\n`
  return [
    grant('orders', 'service: orders-api, actions: [read-order], resources: ["order-*"]'),
    ...(withPostgres ? postgresServices : []).map((service) =>
      grant(service, `service: ${service}, actions: [read-table], resources: [public.orders]`),
    ),
  ].join('')
}

/** One database, as its roles are made where nothing is said, and with one round of SCRAM. Each is the name of a provider too. */
const postgresServices = ['orders-db', 'orders-db-one-round'] as const

const postgresProviders = `  orders-db: { kind: postgres, config: { url: { env: BENCH_POSTGRES } } }
  orders-db-one-round: { kind: postgres, config: { url: { env: BENCH_POSTGRES }, scramIterations: 1 } }
`

function postgresService(name: string): string {
  return `  ${name}:
    provider: ${name}
    actions:
      read-table: { resource: "{schema}.{table}", means: { privilege: SELECT, schema: "{schema}", table: "{table}" } }
`
}
