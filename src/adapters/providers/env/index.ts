export { env } from './provider.ts'
