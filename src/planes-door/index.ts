export { openPlanes, systemClock } from '../catalog/index.ts'
export { requireContract, requireEnvironment } from '../contract/index.ts'
export { expressPlanes, fastifyPlanes, honoPlanes } from '../middleware/index.ts'
