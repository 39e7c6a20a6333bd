import type { Gatekeeper } from '../planes/index.ts'
import { answerOf, type NodeRequest, type Passage, stampIdentity } from './passage.ts'

/** A request of Express 4 or 5, or of Connect: `originalUrl` is the whole one also below a mounted router. */
export type ExpressRequest = NodeRequest & { readonly originalUrl?: string; sallyport?: Passage }

export type ExpressResponse = {
  writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown }
}

/**
 * `app.use(expressPlanes(gatekeeper))`, before every route: `request.sallyport` then says who calls. Who is refused is answered here, and no
 * handler runs.
 */
export function expressPlanes(gatekeeper: Gatekeeper) {
  return async (request: ExpressRequest, response: ExpressResponse, next: () => void): Promise<void> => {
    const { method = '', rawHeaders } = request
    const target = request.originalUrl ?? request.url ?? ''
    const verdict = await gatekeeper.judge({ method, target, rawHeaders })
    if (verdict.kind === 'refused') {
      const { status, headers, body } = answerOf(verdict)
      response.writeHead(status, headers).end(body)
      return
    }
    stampIdentity(request, verdict)
    request.sallyport = { plane: verdict.plane, subject: verdict.subject }
    next()
  }
}
