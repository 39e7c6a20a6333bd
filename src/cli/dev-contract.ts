/** The contract of a development broker, as text: what a user reads first, and edits. */
export function devContract(options: {
  /** Of people's tokens. */
  readonly issuer: string
  /** Of the machine plane: the issuer of the tokens that the broker mints. */
  readonly machineUrl: string
  readonly machineKeyDigest: string
  readonly postgresUrl?: string
}): string {
  const postgres = options.postgresUrl !== undefined
  return `contract: environment/v1
metadata:
  name: dev
  onMismatch: fail-stop

# A mode is a closed tuple: it holds when every discriminator has exactly this value. There is no default mode.
discriminators: [SALLYPORT_MODE]
modes:
  LOCAL:
    class: development
    match: { SALLYPORT_MODE: local }
    ceiling: { duration: 1h }

planes:
  machine:
    scheme: { type: apiKey, in: header, name: X-AOS-Key }
  human:
    scheme: { type: http, scheme: bearer, bearerFormat: JWT }

tenants: [acme, globex]

issuers:
  dev:
    plane: human
    issuer: ${options.issuer}
    audience: sallyport
    algorithms: [ES256]
    maxAge: 24h

# Who calls. Tenant and agent come from here alone; any one proof is enough.
identities:
  agent-7:
    tenant: acme
    plane: machine
    proofs:
      - spiffe: spiffe://dev.test/tenant/acme/agent/agent-7
      - key: ${options.machineKeyDigest}
  dana:
    tenant: acme
    plane: human
    roles: [operator, auditor, platform]
    proofs:
      - token: { issuer: dev, claims: { sub: dana } }

providers:
  tokens:
    kind: jwt
    config: { issuer: "${options.machineUrl}", audience: "https://orders.example.test" }
${
  postgres
    ? `  orders-db:
    kind: postgres
    config: { url: { env: SALLYPORT_DEV_POSTGRES } }
`
    : ''
}
# What an action means at its provider.
services:
  orders-api:
    provider: tokens
    actions:
      read-order:
        title: Read one order
        resource: "{order}"
        means: { scope: "orders:read" }
${
  postgres
    ? `  orders-db:
    provider: orders-db
    actions:
      read-table:
        title: Read the rows of one table
        resource: "{schema}.{table}"
        means: { privilege: SELECT, schema: "{schema}", table: "{table}" }
`
    : ''
}
# Who may do what, on which resource, in which modes, for how long.
grants:
  - id: agent-7-reads-orders
    tenant: acme
    agents: [agent-7]
    service: orders-api
    actions: [read-order]
    resources: ["order-*"]
    modes: [LOCAL]
    maxDuration: 15m
${
  postgres
    ? `  - id: agent-7-reads-the-orders-table
    tenant: acme
    agents: [agent-7]
    service: orders-db
    actions: [read-table]
    resources: [public.orders]
    modes: [LOCAL]
    maxDuration: 15m
`
    : ''
}
# What a request may say in place of service, action and resource: a name, and no secret.
references:
  field: credentialRef
  pattern: "^cred://[a-z0-9-]+(/[a-z0-9-]+)+$"
  resolves:
    cred://orders/order-7/read: { service: orders-api, action: read-order, resource: order-7 }
`
}
