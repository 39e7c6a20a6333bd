import type { AuditLog, LogReader } from '../../audit/index.ts'
import { getDocs, getLivez, getMetrics, getOpenapi, getReadyz, openapi } from '../../protocol/index.ts'
import type { StoreCopier } from './backup.ts'
import { docsPage } from './docs.ts'
import { open, type Route } from './exchange.ts'
import type { ListenerParts } from './listener.ts'

/** What a listener of either plane is made of. */
export type PlaneParts = Omit<ListenerParts, 'plane' | 'evidence'> & {
  readonly reader: LogReader & Pick<AuditLog, 'probe'>
  readonly copyStore: StoreCopier
  readonly now: () => number
  /** Of the program, for the description. */
  readonly version: string
}

/** Probes, metrics and the description: public, and without a name of anybody. */
export function publicRoutes(parts: PlaneParts): readonly Route[] {
  const description = openapi(parts.version)
  const page = docsPage(description)
  return [
    open(getLivez, async () => ({ status: 200, text: 'ok\n' })),
    open(getReadyz, async () => {
      const { writable, breakers } = await parts.broker.health()
      // Whoever is not ready gets no requests, so that nothing else would find out that the log works again.
      const ready = writable || (await parts.reader.probe())
      const checks = {
        log: ready ? 'ok' : 'the last write failed; issuing has stopped',
        ...Object.fromEntries(
          Object.entries(breakers).map(([name, state]) => [
            `provider ${name}`,
            state === 'closed' ? 'ok' : state,
          ]),
        ),
      }
      return { status: ready ? 200 : 503, value: { ready, checks } }
    }),
    open(getMetrics, async () => ({ status: 200, text: await parts.metrics.text(parts.broker) })),
    open(getOpenapi, async () => ({ status: 200, value: description })),
    open(getDocs, async () => ({
      status: 200,
      text: page,
      headers: {
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
      },
    })),
  ]
}
