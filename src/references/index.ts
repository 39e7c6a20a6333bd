export {
  type AdapterRequest,
  type CheckedRequest,
  checkAdapterRequest,
  checkAdapterRequestText,
  type RequestProblem,
  type RequestProblemCode,
  requestCharactersMax,
} from './adapter-request.ts'
export { findRawSecrets, isSecretName, type RawSecret, requestDepthMax } from './raw-secret.ts'
export { secretKindOf } from './secret-shape.ts'
