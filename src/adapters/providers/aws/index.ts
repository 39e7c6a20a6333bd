export { aws } from './provider.ts'
