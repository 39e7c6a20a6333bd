import type { Bench, Comparison, Scale, Skipped } from './harness.ts'
import {
  agentRequests,
  type BrokerHome,
  createBrokerHome,
  orderRequest,
  type RunningBroker,
} from './rig/broker.ts'
import { createContenders } from './rig/contenders.ts'
import { startFloor } from './rig/floor-process.ts'
import { requestText } from './rig/load.ts'
import { type OpenBao, openBaoMissing, startOpenBao } from './rig/openbao.ts'
import { unpinnable } from './rig/pinned.ts'

const connections = 64
const seconds: Readonly<Record<Scale, number>> = { full: 4, short: 0.5 }
const warmRequests: Readonly<Record<Scale, number>> = { full: 40_000, short: 10_000 }

function contenders(scale: Scale) {
  return createContenders({ connections, seconds: seconds[scale], warmRequests: warmRequests[scale] })
}

/** Credentials of the `jwt` provider over HTTP, each with identity, policy and durable entry, against a floor and a peer on the same core. */
export const issuance: Bench = {
  name: 'issuance',
  title: 'credentials a second of one core, against bare cryptography and OpenBao',
  rounds: { full: 5, short: 1 },
  open: async (scale, world) => {
    const skipped = unpinnable()
    if (skipped !== undefined) return [{ row: 'all', skipped }]
    const home = await createBrokerHome(world)
    const servers = {
      broker: await home.start('http'),
      overTls: await home.start('mutual TLS'),
      floor: await startFloor(world, {
        kind: 'crypto',
        publicKeyPem: home.issuer.publicKeyPem,
        claims: floorClaims,
      }),
      staticTls: await startFloor(world, { kind: 'static', tls: home.tls.server }),
    }
    const bao = openBaoMissing() === undefined ? await startOpenBao(world) : undefined
    return [
      ...againstFloors(home, servers, scale),
      ...(await againstOpenBao(home, servers.broker, bao, scale)),
      ...amongOurselves(home, servers.broker, scale),
    ]
  },
}

/** What a token of the `jwt` provider says. */
const floorClaims = {
  iss: 'https://sallyport.example.test',
  sub: 'agent-0-of-acme',
  aud: 'https://orders.example.test',
  iat: 1_790_000_000,
  exp: 1_790_000_900,
  jti: 'lse_01k00000000000000000000000',
  client_id: 'agent-0-of-acme',
  tenant: 'acme',
  scope: 'orders:read',
  resource: orderRequest.resource,
  authorization_details: [
    {
      type: 'sallyport_action',
      locations: ['https://orders.example.test'],
      actions: ['read-order'],
      identifier: orderRequest.resource,
    },
  ],
}

type Servers = Readonly<Record<'broker' | 'overTls' | 'floor' | 'staticTls', RunningBroker>>

function againstFloors(home: BrokerHome, servers: Servers, scale: Scale): readonly Comparison[] {
  const { rate, perCpuSecond } = contenders(scale)
  const withTokens = agentRequests(home.issuer)
  // A client with certificates takes more than a core for what a static answer takes of the server, so CPU time is compared.
  const overTls = {
    requests: [requestText({ method: 'POST', path: '/v1/credentials', body: orderRequest })],
    tls: home.tls.client,
  }
  const once = { ...overTls, requestsPerConnection: 1 }
  return [
    {
      row: 'jwt, token verified each time',
      subject: rate('sallyport', servers.broker, { requests: withTokens }),
      against: rate('verify + sign (ES256) in Fastify', servers.floor, { requests: withTokens }),
      goal: 0.65,
      wants: 'at least',
      unit: 'requests/s',
    },
    {
      row: 'jwt over mutual TLS, kept alive',
      subject: perCpuSecond('sallyport', servers.overTls, overTls),
      against: perCpuSecond('static answer over mutual TLS', servers.staticTls, overTls),
      goal: 0.4,
      wants: 'at least',
      unit: 'requests a second of CPU',
    },
    {
      row: 'jwt over mutual TLS, a handshake each',
      subject: perCpuSecond('sallyport', servers.overTls, once),
      against: perCpuSecond('static answer, a handshake each', servers.staticTls, once),
      goal: 0.4,
      wants: 'at least',
      unit: 'requests a second of CPU',
    },
  ]
}

async function againstOpenBao(
  home: BrokerHome,
  broker: RunningBroker,
  bao: OpenBao | undefined,
  scale: Scale,
): Promise<readonly (Comparison | Skipped)[]> {
  const rows = [
    'jwt against a token with a lease',
    'jwt against a signed token',
    'p99 at 1 000/s, theirs at 150/s',
  ] as const
  if (!bao) return rows.map((row) => ({ row, skipped: openBaoMissing() ?? 'it did not start' }))
  const { rate, p99 } = contenders(scale)
  const requests = agentRequests(home.issuer)
  const subject = rate('sallyport', broker, { requests })
  const create = requestText({
    method: 'POST',
    path: '/v1/auth/token/create',
    headers: { 'x-vault-token': bao.rootToken },
    body: { ttl: '15m', policies: ['default'] },
  })
  const theirs = await createSignedTokens(bao)
  return [
    {
      row: rows[0],
      subject,
      against: rate('OpenBao auth/token/create', bao, { requests: [create] }),
      goal: 8,
      wants: 'at least',
      unit: 'requests/s',
    },
    {
      row: rows[1],
      subject,
      against: rate('OpenBao identity/oidc/token', bao, { requests: [theirs] }),
      goal: 2,
      wants: 'at least',
      unit: 'requests/s',
    },
    {
      row: rows[2],
      subject: p99('sallyport', broker, { requests, ratePerSecond: 1_000 }),
      against: p99('OpenBao auth/token/create', bao, { requests: [create], ratePerSecond: 150 }),
      goal: 1,
      unit: 'ms',
    },
  ]
}

/** Sets up OpenBao's own signed tokens (ES256) for somebody who has logged in, and gives the request for one. */
async function createSignedTokens(bao: OpenBao): Promise<string> {
  await bao.call('POST', 'identity/oidc/key/bench', { algorithm: 'ES256', allowed_client_ids: ['*'] })
  await bao.call('POST', 'identity/oidc/role/bench', { key: 'bench', ttl: '15m' })
  await bao.call('POST', 'sys/policies/acl/bench', {
    policy: 'path "identity/oidc/token/bench" { capabilities = ["read"] }',
  })
  await bao.call('POST', 'sys/auth/userpass', { type: 'userpass' })
  const password = crypto.randomUUID()
  await bao.call('POST', 'auth/userpass/users/bench', { password, token_policies: ['bench'] })
  const { auth } = await bao.call('POST', 'auth/userpass/login/bench', { password }, '')
  const headers = { 'x-vault-token': auth?.client_token ?? '' }
  return requestText({ method: 'GET', path: '/v1/identity/oidc/token/bench', headers })
}

function amongOurselves(home: BrokerHome, broker: RunningBroker, scale: Scale): readonly Comparison[] {
  const { rate } = contenders(scale)
  const against = rate('an issuance', broker, { requests: agentRequests(home.issuer) })
  const denied = { ...orderRequest, resource: 'invoice-7' }
  return [
    {
      row: 'explain',
      subject: rate('explain', broker, { requests: agentRequests(home.issuer, { path: '/v1/explain' }) }),
      against,
      goal: 1,
      wants: 'at least',
      unit: 'requests/s',
    },
    {
      row: 'a denial, with its remedy',
      subject: rate('a denial', broker, {
        requests: agentRequests(home.issuer, { body: denied }),
        status: 403,
      }),
      against,
      goal: 1,
      wants: 'at least',
      unit: 'requests/s',
    },
  ]
}
