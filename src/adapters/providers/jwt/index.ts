export { jwt } from './provider.ts'
