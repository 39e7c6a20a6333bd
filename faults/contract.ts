import { contractText } from '../test/end-to-end/contract.ts'

/** Every agent of both tenants may read the table `public.orders` of a PostgreSQL at `DB_URL`. */
export function ordersContract(): string {
  const grant = (tenant: string) => `- id: ${tenant}-reads-orders
  tenant: ${tenant}
  agents: ["*"]
  service: orders-db
  actions: [read-table]
  resources: [public.orders]
  modes: [TEST]
  maxDuration: 15m`
  return contractText({
    providers: 'orders-db: { kind: postgres, config: { url: { env: DB_URL }, poolMax: 8 } }',
    services: `orders-db:
  provider: orders-db
  actions:
    read-table:
      resource: "{schema}.{table}"
      means: { privilege: SELECT, schema: "{schema}", table: "{table}" }`,
    grants: `${grant('acme')}\n${grant('globex')}`,
  })
}

/** Every agent of both tenants may read an order, by what the provider of this kind mints. */
export function apiContract(kind: 'jwt' | 'fake'): string {
  const grant = (tenant: string) => `- id: ${tenant}-reads-orders
  tenant: ${tenant}
  agents: ["*"]
  service: orders-api
  actions: [read-order]
  resources: ["order-*"]
  modes: [TEST]
  maxDuration: 15m`
  const config =
    kind === 'jwt' ? ', config: { issuer: "https://a.example.test", audience: "https://b.example.test" }' : ''
  return contractText({
    providers: `orders: { kind: ${kind}${config} }`,
    services: `orders-api:
  provider: orders
  actions:
    read-order: { resource: "{order}", means: { scope: "orders:read" } }`,
    grants: `${grant('acme')}\n${grant('globex')}`,
  })
}
