export { createHumanListener } from './listener.ts'
