import type {
  Capabilities,
  Credential,
  Minted,
  MintedReference,
  MintOrder,
  Probe,
  Provider,
  ProviderDefinition,
  ProviderWorld,
} from '../../../broker/index.ts'
import type { Action } from '../../../contract/index.ts'
import { Failure, Secret } from '../../../primitives/index.ts'
import { type Access, findAccess, remember } from './access.ts'
import {
  type Means,
  type PostgresConfig,
  readConfig,
  readMeans,
  readTarget,
  type Server,
  type Target,
} from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { endRole } from './ending.ts'
import { tryLogin } from './login.ts'
import { plantedRoles } from './planted.ts'
import { createRotate, newPassword } from './rotation.ts'
import { scramVerifier } from './scram.ts'
import { createRoleMaker, type MakeRole } from './together.ts'

/** PostgreSQL 14 and later: a role that may do one verb on one table until the lease ends. See `docs/providers/postgres.md`. */
export const postgres: ProviderDefinition = {
  kind: 'postgres',
  developmentOnly: false,
  async create(entry, actions, world) {
    const config = readConfig(entry, world.resolve)
    const meanings = new Map(actions.map((action) => [action, readMeans(action)]))
    const meansOf = (action: Action) => meanings.get(action) ?? readMeans(action)
    return createProvider({ config, meansOf, world })
  },
}

function createProvider(parts: Omit<Minting, 'database' | 'makeRole' | 'accesses'>): Provider {
  const { config, world } = parts
  const database = openDatabase(config.server, config)
  const minting = {
    ...parts,
    database,
    makeRole: createRoleMaker(database),
    accesses: new Map<string, Access>(),
  }
  return {
    capabilities: capabilitiesOf(config),
    mint: (order, signal) => mint(minting, order, signal),
    revoke: ({ leaseId }, signal) => endRole(database, checkedLeaseId(leaseId), signal),
    rotate: createRotate(database, { rotates: config.rotates, random: world.random }),
    probe: (reference, credential, signal) => probe(database, reference, credential, signal),
    planted: (signal) => database.session(signal, (ask) => plantedRoles(ask, world.brokerName)),
    close: () => database.close(),
  }
}

function capabilitiesOf(config: PostgresConfig): Capabilities {
  return {
    revocation: 'immediate',
    revocationNote:
      'Login is forbidden, open sessions are terminated, and the role is dropped with all its privileges.',
    // VALID UNTIL stops new logins alone: a session that is open would go on.
    endsByItself: false,
    providerTtlSecondsMin: 1,
    ttlSecondsMax: 86_400,
    probes: true,
    rotates: [...config.rotates.keys()],
  }
}

type Minting = {
  readonly database: Database
  readonly makeRole: MakeRole
  readonly config: PostgresConfig
  readonly world: ProviderWorld
  readonly meansOf: (action: Action) => Means
  /** What worked the last time, by what it grants. */
  readonly accesses: Map<string, Access>
}

/** How often a mint is begun anew: because an earlier attempt left a role, or what was remembered does not hold any more. */
const retriesMax = 4

async function mint(minting: Minting, order: MintOrder, signal: AbortSignal): Promise<Minted> {
  const { database, makeRole, config, world, meansOf } = minting
  const leaseId = checkedLeaseId(order.leaseId)
  const target = readTarget(meansOf(order.action), order.parts)
  const password = newPassword(world.random)
  const { scramIterations: iterations } = config
  const verifier = await scramVerifier(password, { salt: world.random(16), iterations })
  const making = { order, verifier, limits: config, brokerName: world.brokerName }
  for (let retries = 0; retries <= retriesMax; retries += 1) {
    const made = await withAccess(minting, target, signal, (access) =>
      makeRole({ ...making, access }, signal),
    )
    if (made) return mintedFor({ order, target, password, server: config.server })
    if (made === false) await endRole(database, leaseId, signal)
  }
  throw new Failure('provider_throttled', 'Somebody else mints for the same lease.')
}

/** Works with the access that is remembered; `undefined` when that was refused and is forgotten. A fresh one's refusal is thrown. */
async function withAccess(
  { database, world, accesses }: Minting,
  target: Target,
  signal: AbortSignal,
  work: (access: Access) => Promise<boolean>,
): Promise<boolean | undefined> {
  const key = `${target.privilege} ${target.name}`
  const remembered = accesses.get(key)
  const access = remembered ?? (await findAccess(database, { target, random: world.random }, signal))
  try {
    const made = await work(access)
    remember(accesses, key, access)
    return made
  } catch (thrown) {
    accesses.delete(key)
    if (remembered && thrown instanceof Failure && thrown.code === 'provider_refused') return undefined
    throw thrown
  }
}

function mintedFor(made: { order: MintOrder; target: Target; password: Secret; server: Server }): Minted {
  const { order, target, password, server } = made
  return {
    credential: credentialOf(order.leaseId, password, server),
    handle: `role ${order.leaseId}`,
    effective: { actions: [target.privilege], resources: [target.name] },
    notAfter: order.notAfter,
    // VALID UNTIL: without the broker, the password is refused from then on.
    providerNotAfter: order.notAfter,
    enforcedBy: 'role-dropped-by-broker',
  }
}

function credentialOf(user: string, password: Secret, server: Server): Credential {
  const { host, port, database } = server
  const sslmode = server.tls ? 'verify-full' : 'disable'
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}/${encodeURIComponent(database)}`
  const url = new Secret(`postgres://${user}:${password.reveal()}@${at}?sslmode=${sslmode}`)
  return { type: 'postgres', fields: { host, port, database, user, password, sslmode, url } }
}

async function probe(
  database: Database,
  { leaseId }: MintedReference,
  credential: Credential | undefined,
  signal: AbortSignal,
): Promise<Probe> {
  const password = credential?.fields['password']
  if (password instanceof Secret) return tryLogin(database.server, { user: leaseId, password }, signal)
  // Without its password only this is certain: nobody logs in as a role that is not there.
  const rows = await database.session(signal, (ask) =>
    ask('SELECT 1 FROM pg_roles WHERE rolname = $1 AND rolcanlogin', [checkedLeaseId(leaseId)]),
  )
  return rows.length === 0 ? 'refused' : 'unknown'
}

/** The lease id becomes a role's name as it is: an id of the broker's own, never a name that somebody chose. */
function checkedLeaseId(leaseId: string): string {
  if (/^[a-z]{2,8}_[0-9a-z]{1,48}$/.test(leaseId)) return leaseId
  throw new Failure('internal', 'The broker failed. Nothing was released.', { internal: 'not a lease id' })
}
