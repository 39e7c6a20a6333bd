export { createMachineListener } from './listener.ts'
