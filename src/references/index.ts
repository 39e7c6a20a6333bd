export {
  type AdapterRequest,
  type CheckedRequest,
  checkAdapterRequest,
  checkAdapterRequestText,
  type RequestProblem,
  type RequestProblemCode,
} from './adapter-request.ts'
export {
  findRawSecrets,
  type RawSecret,
  requestCharactersMax,
  requestDepthMax,
  requestProblemsMax,
} from './raw-secret.ts'
export { isSecretName } from './secret-name.ts'
export { secretKindOf } from './secret-shape.ts'
