import { createHmac } from 'node:crypto'
import { type Contract, requireEnvironment } from '../contract/index.ts'
import { equalInConstantTime, Failure } from '../primitives/index.ts'
import { valueIdentities } from './connection-identity.ts'
import type { EnvironmentSeen } from './environment-detector.ts'
import { finding, type HygieneFinding } from './finding.ts'

/**
 * What values of a mode are told by, without being stored: HMAC-SHA-256 under a key that is kept outside the repository. Without the key
 * nobody can try out hosts against it.
 */
export type Fingerprints = {
  /** Which key: a fingerprint of a fixed text. */
  readonly key: string
  /** Mode, then variable. */
  readonly modes: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>
}

export const fingerprintKeyBytesMin = 32
/** Of a file of fingerprints, in characters. */
const fileCharactersMax = 1024 * 1024

/** Adds the values of one mode that a prohibition wants told from those of others; what was there of that mode is replaced. */
export function recordFingerprints(
  contract: Contract,
  about: { readonly mode: string; readonly seen: EnvironmentSeen; readonly key: Uint8Array },
  before?: Fingerprints,
): Fingerprints {
  const id = keyId(about.key)
  if (before && before.key !== id) throw otherKey()
  const variables = new Set(
    sameValueDetectors(contract)
      .filter((detector) => detector.of === about.mode)
      .map(({ variable }) => variable),
  )
  if (variables.size === 0)
    throw new Failure('option_invalid', `No prohibition compares a value of ${about.mode} with other modes.`)
  const made = [...variables].map((variable): [string, readonly string[]] => {
    const prints = fingerprintsOf(about.key, variable, about.seen[variable] ?? '')
    if (prints.length > 0) return [variable, prints]
    throw new Failure('option_invalid', `${variable} is not set, so it has no fingerprint.`, {
      next: `record where the ${variable} of ${about.mode} is set`,
    })
  })
  return { key: id, modes: new Map([...(before?.modes ?? []), [about.mode, new Map(made)]]) }
}

/** The text of the file; `parseFingerprints` reads it. */
export function formatFingerprints({ key, modes }: Fingerprints): string {
  const plain = Object.fromEntries(
    [...modes].map(([mode, variables]) => [mode, Object.fromEntries(variables)]),
  )
  return `${JSON.stringify({ version: 1, key, modes: plain }, null, 2)}\n`
}

/** Throws `option_invalid` for anything that `formatFingerprints` does not write. */
export function parseFingerprints(text: string): Fingerprints {
  const file: unknown = text.length > fileCharactersMax ? undefined : jsonOf(text)
  if (!isMapping(file) || file['version'] !== 1 || !isFingerprint(file['key']) || !isMapping(file['modes']))
    throw notFingerprints()
  const modes = Object.entries(file['modes']).map(
    ([mode, variables]): [string, Map<string, readonly string[]>] => {
      if (!isMapping(variables)) throw notFingerprints()
      const lists = Object.entries(variables).map(([variable, list]): [string, readonly string[]] => {
        if (!Array.isArray(list) || !list.every(isFingerprint)) throw notFingerprints()
        return [variable, list]
      })
      return [mode, new Map(lists)]
    },
  )
  return { key: file['key'], modes: new Map(modes) }
}

/**
 * Values of another mode that stand in this one, under whatever name of the contract: the production database is that database also as
 * `DATABASE_URL_ASYNC`. Neither value is told. Throws `option_invalid` when the fingerprints were made with another key, or lack
 * one that is compared: no comparison must not look like none found.
 */
export function findReusedValues(
  contract: Contract,
  about: { readonly mode: string; readonly seen: EnvironmentSeen; readonly key: Uint8Array },
  known: Fingerprints,
): readonly HygieneFinding[] {
  if (!equalInConstantTime(known.key, keyId(about.key))) throw otherKey()
  const names = [...requireEnvironment(contract).variables.keys()]
  return sameValueDetectors(contract)
    .filter((detector) => detector.in.includes(about.mode))
    .flatMap(({ variable, of, prohibition }) => {
      const forbidden = new Set(known.modes.get(of)?.get(variable) ?? unrecorded(variable, of))
      const carries = (name: string) =>
        fingerprintsOf(about.key, variable, about.seen[name] ?? '').some((print) => forbidden.has(print))
      return names.filter(carries).map((name) =>
        finding({
          code: 'prohibited-reuse',
          severity: prohibition.severity,
          message: `${name} in ${about.mode} is what ${variable} is in ${of}, which ${prohibition.id} forbids.`,
          reason: prohibition.reason,
          prohibition: prohibition.id,
          variable: name,
          file: contract.file,
          line: prohibition.place.line,
          next: `give ${about.mode} a ${name} of its own`,
        }),
      )
    })
}

function sameValueDetectors(contract: Contract) {
  return [...requireEnvironment(contract).prohibitions.values()].flatMap((prohibition) =>
    prohibition.detectors.flatMap((detector) =>
      detector.kind === 'same-value' ? [{ ...detector, prohibition }] : [],
    ),
  )
}

function fingerprintsOf(key: Uint8Array, variable: string, value: string): readonly string[] {
  return valueIdentities(value).map((identity) => hmac(key, JSON.stringify(['value', variable, identity])))
}

function keyId(key: Uint8Array): string {
  if (key.length < fingerprintKeyBytesMin)
    throw new Failure(
      'option_invalid',
      `The key of the fingerprints is shorter than ${fingerprintKeyBytesMin} bytes.`,
      {
        next: 'make one with openssl rand -out FILE 32, outside the repository',
      },
    )
  return hmac(key, JSON.stringify(['key']))
}

function hmac(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

function isFingerprint(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notFingerprints(): Failure {
  return new Failure('option_invalid', 'The file of fingerprints is none.', {
    next: 'write it with sallyport prohibitions --record',
  })
}

function unrecorded(variable: string, mode: string): never {
  throw new Failure('option_invalid', `There is no fingerprint of ${variable} in ${mode}.`, {
    next: `sallyport prohibitions --record, where ${mode} runs`,
  })
}

function otherKey(): Failure {
  return new Failure('option_invalid', 'The fingerprints were made with another key.', {
    next: 'name that key, or record them anew',
  })
}
