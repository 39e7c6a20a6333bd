export { type Checked, type CredentialCheck, identityPrefix, type ShownCredential } from './credential.ts'
export { createPlaneMap, headerOf, type PlaneMap, type Route } from './map.ts'
export { readPath, targetCharactersMax } from './path.ts'
export {
  credentialWords,
  judgeProbe,
  type Probe,
  type ProbeAnswer,
  type ProbeFinding,
  type ProbeTry,
  planProbe,
  probeRules,
} from './probe.ts'
export {
  type Admitted,
  createGatekeeper,
  type Gatekeeper,
  identityHeaders,
  type Refused,
  type ShownRequest,
  statusOfRefusal,
  type Verdict,
} from './verdict.ts'
