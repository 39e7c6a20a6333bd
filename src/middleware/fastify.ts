import type { Gatekeeper } from '../planes/index.ts'
import { answerOf, type NodeRequest, type Passage, stampIdentity } from './passage.ts'

export type FastifyPlanesRequest = { readonly raw: NodeRequest; sallyport?: Passage | null }

export type FastifyPlanesReply = {
  code(status: number): FastifyPlanesReply
  headers(headers: Record<string, string>): FastifyPlanesReply
  send(body: string): FastifyPlanesReply
}

/**
 * `app.addHook('onRequest', fastifyPlanes(gatekeeper))` on the root, before any plugin: `request.sallyport` then says who calls. It judges the
 * URL by which Fastify routes, so `rewriteUrl` cannot part the two. Paths that no route has are refused, too.
 */
export function fastifyPlanes(gatekeeper: Gatekeeper) {
  return async (request: FastifyPlanesRequest, reply: FastifyPlanesReply): Promise<unknown> => {
    const { method = '', url = '', rawHeaders } = request.raw
    const verdict = await gatekeeper.judge({ method, target: url, rawHeaders })
    if (verdict.kind === 'refused') {
      const { status, headers, body } = answerOf(verdict)
      // Returned: a hook that answers must, or the handler would run as well.
      return reply.code(status).headers(headers).send(body)
    }
    stampIdentity(request.raw, verdict)
    request.sallyport = { plane: verdict.plane, subject: verdict.subject }
    return undefined
  }
}
