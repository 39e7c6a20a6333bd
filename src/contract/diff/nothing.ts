import type { Contract } from '../contract.ts'
import type { Environment } from '../environment.ts'

/** The environment of a contract, or one that says nothing. */
export function environmentOf({ environment }: Contract): Environment {
  return environment ?? nothing
}

const nothing: Environment = {
  about: { appliesTo: [], tracks: [] },
  scopes: new Map([
    ['runtime', { name: 'runtime', isDefault: true, commands: [], place: { line: 1, column: 1 } }],
  ]),
  modeRules: new Map(),
  planes: new Map(),
  variables: new Map(),
  secretPaths: new Map(),
  gates: new Map(),
  prohibitions: new Map(),
  requestAdapters: new Map(),
  files: new Map(),
  rotations: new Map(),
  validation: [],
}
