import type { LogStorage } from '../src/audit/index.ts'
import { assemble, systemClock } from '../src/catalog/index.ts'
import { Failure, toFailure } from '../src/primitives/index.ts'
import { createFakeProvider, type FakeProvider } from '../src/testing/fake-provider.ts'
import type { Site } from '../test/end-to-end/site.ts'
import type { Acknowledged, Standing } from './aftermath.ts'

/** The trace of everything that the faults themselves ask for. */
export const requestId = '0'.repeat(32)

const wanted = { service: 'orders-api', action: 'read-order', resource: 'order-7' }
const deadlineMs = 2_000

export function nobodyTold(): Acknowledged {
  return { issued: [], revoked: new Set() }
}

/** What `assemble` needs for a site. */
export function placeOf(site: Site, variables: Readonly<Record<string, string>> = {}) {
  const environment = { AOS_MODE: 'test', ...variables }
  return { contractFile: site.path('sallyport.yaml'), dataFolder: site.path('data'), environment }
}

/** A broker without its listeners, over a store that a fault stands before, with a provider whose credentials can be counted. */
export async function inThisProcess<Storage extends LogStorage>(
  site: Site,
  wrap: (inner: LogStorage) => Storage,
  provider: FakeProvider = createFakeProvider({ clock: systemClock }),
) {
  const wrapped = Promise.withResolvers<Storage>()
  const assembled = await assemble({
    ...placeOf(site),
    providers: [{ kind: 'fake', developmentOnly: true, create: async () => provider }],
    storage(inner) {
      const storage = wrap(inner)
      wrapped.resolve(storage)
      return storage
    },
  })
  const caller = {
    plane: 'machine',
    tenant: 'acme',
    agent: 'agent-7',
    roles: [],
    method: 'certificate',
    subject: 'agent-7',
  } as const
  return {
    assembled,
    storage: await wrapped.promise,
    provider,
    standing: async (): Promise<Standing> => ({
      works: new Set(await provider.planted(new AbortController().signal)),
      bounded: new Set(),
    }),
    /** Asks once; resolves to `issued`, or to the code of what came instead. */
    async issue(acknowledged: Acknowledged): Promise<string> {
      const call = { caller, requestId, request: wanted, deadline: Date.now() + deadlineMs }
      const came = await assembled.broker.issue(call, new AbortController().signal).catch(toFailure)
      if (came instanceof Failure) return came.code
      if (came.answer.kind === 'denied') return came.answer.rule
      const { lease, receipt } = came.answer
      const { index, leafHash, checkpoint } = receipt
      acknowledged.issued.push({ leaseId: lease.id, receipt: { index, leaf_hash: leafHash, checkpoint } })
      return 'issued'
    },
  }
}
