export { type ExpressRequest, type ExpressResponse, expressPlanes } from './express.ts'
export { type FastifyPlanesReply, type FastifyPlanesRequest, fastifyPlanes } from './fastify.ts'
export { type HonoContext, honoPlanes } from './hono.ts'
export type { NodeRequest, Passage } from './passage.ts'
