export type { ListenAt } from './listen-at.ts'
export { type RunningBroker, type RunOptions, runBroker } from './running-broker.ts'
