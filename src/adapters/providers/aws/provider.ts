import type { Minted, MintOrder, Provider, ProviderDefinition, ProviderWorld } from '../../../broker/index.ts'
import type { Action, ProviderEntry } from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'
import { capabilitiesOf } from './capabilities.ts'
import { type AwsConfig, type AwsKeys, parseConfig } from './config.ts'
import { createExchange } from './exchange.ts'
import { type Means, parseMeans } from './means.ts'
import { type SessionPolicy, sessionPolicy } from './policy.ts'
import { createProber, isProbeable } from './probe.ts'
import { createRevoke } from './revoke.ts'
import { assumeRole, type Session } from './sts.ts'

/**
 * Mints sessions of one IAM role by STS AssumeRole, each narrowed by a session policy to the ordered actions, resources and time (STS
 * API Reference, AssumeRole; IAM User Guide, "Session policies"). What is proven and what is not: `docs/providers/aws.md`.
 */
export const aws: ProviderDefinition = {
  kind: 'aws',
  developmentOnly: false,
  async create(entry, actions, world) {
    const config = parseConfig(entry)
    const means = new Map(actions.map((action) => [action, parseMeans(action)]))
    return createProvider({ config, means, world, keys: keySource(entry, config, world) })
  },
}

type Parts = {
  readonly config: AwsConfig
  readonly means: ReadonlyMap<Action, Means>
  readonly world: ProviderWorld
  readonly keys: () => AwsKeys
}

function createProvider({ config, means, world: { clock }, keys }: Parts): Provider {
  const exchange = createExchange({ clock, timeoutSeconds: config.timeoutSeconds })
  const prober = [...means.values()].some(isProbeable) ? createProber(config, exchange) : undefined
  const revoke =
    config.revocation === 'deny-policy' ? createRevoke({ config, keys, exchange, clock }) : undefined
  return {
    capabilities: capabilitiesOf(config, prober ? 'probed' : 'unprobed'),
    async mint(order, signal) {
      const policy = policyFor(
        order,
        means.get(order.action) ?? parseMeans(order.action),
        config,
        clock.now(),
      )
      const session = await assumeRole({ config, keys: keys(), exchange, clock }, order, policy, signal)
      prober?.remember(session.credential, policy)
      return mintedOf(session, policy)
    },
    async revoke(reference, signal) {
      // Without the deny policy nothing can end a session early, and `capabilities` says so.
      await revoke?.(reference, signal)
    },
    async rotate() {
      throw new Failure('rotation_unsupported', nothingToRotate)
    },
    ...(prober ? { probe: (_reference, credential, signal) => prober.probe(credential, signal) } : {}),
  }
}

const nothingToRotate =
  'The aws provider has nothing of its own to rotate: every session has new keys, and the keys of the broker are read from where the contract says.'

/** Temporary keys of the broker change while it runs, so they are read again for every call. */
function keySource(entry: ProviderEntry, { credentials }: AwsConfig, world: ProviderWorld): () => AwsKeys {
  const read = (): AwsKeys => ({
    accessKeyId: world.resolve(credentials.accessKeyId, entry.place),
    secretAccessKey: world.resolve(credentials.secretAccessKey, entry.place),
    ...(credentials.sessionToken
      ? { sessionToken: world.resolve(credentials.sessionToken, entry.place) }
      : {}),
  })
  const first = read()
  return credentials.sessionToken ? read : () => first
}

/** IAM compares whole seconds, so the end is rounded down: never a moment longer than ordered. */
function policyFor(order: MintOrder, means: Means, config: AwsConfig, now: number): SessionPolicy {
  const notAfterSeconds = Math.floor(order.notAfter / 1000)
  if (notAfterSeconds * 1000 <= now)
    throw new Failure('provider_refused', 'The time of the credential would be over before it began.', {
      next: 'Ask for a longer time.',
    })
  return sessionPolicy(means, order.parts, { notAfterSeconds, account: config.account })
}

function mintedOf({ credential, handle, providerNotAfter }: Session, policy: SessionPolicy): Minted {
  return {
    credential,
    handle,
    effective: { actions: policy.actions, resources: policy.resources },
    notAfter: Math.min(policy.notAfterSeconds * 1000, providerNotAfter),
    providerNotAfter,
    enforcedBy: 'session-policy-date',
  }
}
