export { answerBytesMax, type OpaServerOptions, openOpaServer } from './opa-server.ts'
