import type { Gatekeeper } from '../planes/index.ts'
import { answerOf, type Passage } from './passage.ts'

/** The parts of a context of Hono 4 that are needed. */
export type HonoContext = {
  readonly req: { readonly raw: Request }
  set(key: 'sallyport', value: Passage): void
}

/**
 * `app.use(honoPlanes(gatekeeper))`, before every route: `c.get('sallyport')` then says who calls. A Request has its URL already resolved
 * (`/a/../b` is `/b`), and Hono routes by that one, so that is the one which is judged.
 */
export function honoPlanes(gatekeeper: Gatekeeper) {
  return async (context: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const { method, url, headers: shown } = context.req.raw
    const start = url.indexOf('/', url.indexOf('://') + 3)
    // Repeated headers are joined by a comma there: no key or token has one, so two are none.
    const verdict = await gatekeeper.judge({
      method,
      target: start < 0 ? '' : url.slice(start),
      rawHeaders: [...shown].flat(),
    })
    if (verdict.kind === 'refused') {
      const { status, headers, body } = answerOf(verdict)
      return new Response(body, { status, headers })
    }
    context.set('sallyport', { plane: verdict.plane, subject: verdict.subject })
    await next()
    return undefined
  }
}
