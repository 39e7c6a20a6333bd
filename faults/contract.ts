import { contractText } from '../test/end-to-end/contract.ts'
import type { EnforcingAws } from './enforcing-aws.ts'

/**
 * Every agent of both tenants may read the table `public.orders` of a PostgreSQL at `DB_URL`, and list a bucket in an AWS: with sessions
 * that can be denied, and with those that end at their date alone.
 */
export function killContract(aws?: EnforcingAws): string {
  const { deniable = '', dated = '' } = aws?.roles() ?? {}
  const endpoint = aws?.endpoint() ?? ''
  const postgres = 'orders-db: { kind: postgres, config: { url: { env: DB_URL }, poolMax: 8 } }'
  const ofAws = [
    awsProvider({ name: 'cloud', endpoint, role: deniable, keys: 'AWS', revocation: 'deny-policy' }),
    awsProvider({ name: 'dated-cloud', endpoint, role: dated, keys: 'DATED', revocation: 'none' }),
  ]
  const services = aws ? ['orders-db', 'cloud', 'dated-cloud'] : ['orders-db']
  return contractText({
    providers: [postgres, ...(aws ? ofAws : [])].join('\n'),
    services: services.map((name) => (name === 'orders-db' ? ordersService : listService(name))).join('\n'),
    grants: services
      .flatMap((name) => ['acme', 'globex'].map((tenant) => killGrant(name, tenant)))
      .join('\n'),
  })
}

/** A provider of the kind `aws` as YAML, with the broker's keys in `<keys>_ID` and `<keys>_KEY`. */
export function awsProvider(how: {
  name: string
  endpoint: string
  role: string
  keys: string
  revocation: string
}): string {
  const { name, endpoint, role, keys, revocation } = how
  return `${name}:
  kind: aws
  config:
    region: us-east-1
    role: ${role}
    endpoint: ${endpoint}
    iamEndpoint: ${endpoint}
    s3Endpoint: ${endpoint}
    credentials: { accessKeyId: { env: ${keys}_ID }, secretAccessKey: { env: ${keys}_KEY } }
    revocation: ${revocation}`
}

const ordersService = `orders-db:
  provider: orders-db
  actions:
    read-table:
      resource: "{schema}.{table}"
      means: { privilege: SELECT, schema: "{schema}", table: "{table}" }`

function listService(name: string): string {
  return `${name}:
  provider: ${name}
  actions:
    list-bucket:
      resource: "{bucket}"
      means: { actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::{bucket}"] }`
}

function killGrant(service: string, tenant: string): string {
  const [action, resource] =
    service === 'orders-db' ? ['read-table', 'public.orders'] : ['list-bucket', 'bucket-123']
  return `- id: ${tenant}-uses-${service}
  tenant: ${tenant}
  agents: ["*"]
  service: ${service}
  actions: [${action}]
  resources: [${resource}]
  modes: [TEST]
  maxDuration: 15m`
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
