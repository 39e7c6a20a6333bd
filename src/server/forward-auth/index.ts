export { createForwardAuth, forwardAuthLimits } from './listener.ts'
