import {
  type Contract,
  type ReferenceRules,
  type RequestAdapter,
  requireEnvironment,
} from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { findRawSecrets, requestCharactersMax } from './raw-secret.ts'
import { repeatedKeys } from './repeated-key.ts'
import { secretKindOf } from './secret-shape.ts'

/** A request for an adapter, and in which mode of which contract it is made. */
export type AdapterRequest = {
  readonly contract: Contract
  /** A name under `adapters`. */
  readonly adapter: string
  readonly mode: string
  /** Attacker-controlled. */
  readonly request: unknown
}

export type CheckedRequest =
  /** As it was given, with the auth mode that holds. */
  | {
      readonly kind: 'accepted'
      readonly request: Readonly<Record<string, unknown>>
      readonly authMode: string
      readonly credentialRef?: string
    }
  /** Every problem at once; nothing in them repeats a value of the request. */
  | { readonly kind: 'refused'; readonly problems: readonly RequestProblem[] }

export type RequestProblemCode =
  | 'auth-mode-unsupported'
  | 'field-misspelled'
  | 'key-repeated'
  | 'raw-secret'
  | 'reference-malformed'
  | 'reference-missing'
  | 'request-malformed'

export type RequestProblem = {
  readonly code: RequestProblemCode
  /** Where, such as `$.provider.keys[0]`. */
  readonly path: string
  readonly message: string
  readonly next: string
}

const referenceCharactersMax = 256

/**
 * Holds a request against the rules of its adapter (seed 001 §3, §6): no raw secret anywhere, a `credentialRef` where the mode requires
 * one, opaque and of the contract's pattern, and an `authMode` that the adapter knows, which is its default when absent.
 * Throws `option_invalid` for an adapter or mode that the contract does not have.
 */
export function checkAdapterRequest({ contract, adapter, mode, request }: AdapterRequest): CheckedRequest {
  const { rules, references } = rulesOf(contract, { adapter, mode })
  if (!isMapping(request)) return refused([malformed('It is no JSON object.')])
  const problems = [
    ...findRawSecrets(request, references.field).map(rawSecret),
    ...Object.keys(request).flatMap((name) => misspelled(name, references.field)),
    ...referenceProblems(request, references, mode),
    ...authModeProblems(request, rules),
  ]
  if (problems.length > 0) return refused(problems)
  const authMode = Object.hasOwn(request, 'authMode') ? request['authMode'] : rules.defaultAuthMode
  const reference = Object.hasOwn(request, references.field) ? request[references.field] : undefined
  return {
    kind: 'accepted',
    request: { ...request, authMode },
    authMode: String(authMode),
    ...(typeof reference === 'string' ? { credentialRef: reference } : {}),
  }
}

/** The same for a text of JSON. A key that is written twice is refused: parsers keep one of the two, and a secret hides in the other. */
export function checkAdapterRequestText(
  given: Omit<AdapterRequest, 'request'> & { text: string },
): CheckedRequest {
  const { text: marked, ...about } = given
  rulesOf(about.contract, about)
  // A parser MAY pass over a byte order mark (RFC 8259 §8.1); editors of Windows write one.
  const text = marked.startsWith('\ufeff') ? marked.slice(1) : marked
  if (text.length > requestCharactersMax) return refused([malformed('It is longer than 1 MiB.')])
  const parsed = parseJson(text)
  if (parsed === undefined) return refused([malformed('It is no JSON.')])
  const checked = checkAdapterRequest({ ...about, request: parsed.value })
  const repeated = repeatedKeys(text).map(keyRepeated)
  if (repeated.length === 0) return checked
  return refused([...repeated, ...(checked.kind === 'refused' ? checked.problems : [])])
}

function keyRepeated(path: string): RequestProblem {
  return {
    code: 'key-repeated',
    path,
    message: 'The key stands in the same object twice.',
    next: 'keep one of the two',
  }
}

function rulesOf(
  contract: Contract,
  { adapter, mode }: { adapter: string; mode: string },
): { rules: RequestAdapter; references: ReferenceRules } {
  const { requestAdapters, references } = requireEnvironment(contract)
  const rules = requestAdapters.get(adapter)
  if (!rules)
    throw new Failure('option_invalid', `The contract ${contract.file} has no adapter of that name.`, {
      next: `name one of ${[...requestAdapters.keys()].join(', ') || 'those that you add under `adapters`'}`,
    })
  if (!references)
    throw new Failure(
      'contract_invalid',
      `The contract ${contract.file} has no rules for credential references.`,
      {
        next: 'add `references`',
      },
    )
  if (!contract.modes.has(mode))
    throw new Failure('option_invalid', `The contract ${contract.file} has no mode of that name.`, {
      next: `name one of ${[...contract.modes.keys()].join(', ')}`,
    })
  return { rules, references }
}

function rawSecret({ path, kind }: { path: string; kind: string }): RequestProblem {
  return {
    code: 'raw-secret',
    path,
    message: `A raw secret may stand here (${kind}).`,
    next: 'take it out, name it by `credentialRef`, and rotate it if it was real',
  }
}

/** `credential_ref` would be read by nobody, and pass for a request without a reference. */
function misspelled(name: string, field: string): readonly RequestProblem[] {
  const meant = [field, 'authMode'].find((known) => name !== known && bare(name) === bare(known))
  if (meant === undefined) return []
  const message = `The field is written in another way than \`${meant}\`.`
  return [{ code: 'field-misspelled', path: '$', message, next: `write \`${meant}\`` }]
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

function referenceProblems(
  request: Readonly<Record<string, unknown>>,
  { field, pattern, requiredModes, examples }: ReferenceRules,
  mode: string,
): readonly RequestProblem[] {
  const path = `$.${field}`
  if (!Object.hasOwn(request, field)) {
    if (!requiredModes.includes(mode)) return []
    const next = `add it, such as ${examples[0] ?? 'cred://…'}`
    return [{ code: 'reference-missing', path, message: `\`${field}\` is required in ${mode}.`, next }]
  }
  const value = request[field]
  const isOpaque =
    typeof value === 'string' &&
    value.length <= referenceCharactersMax &&
    new RegExp(pattern, 'u').test(value) &&
    value.split('/').every((segment) => secretKindOf(segment) === undefined)
  if (isOpaque) return []
  const next = `write a reference such as ${examples[0] ?? 'cred://…'}`
  return [
    {
      code: 'reference-malformed',
      path,
      message: `\`${field}\` is no opaque reference of the contract's pattern.`,
      next,
    },
  ]
}

function authModeProblems(
  request: Readonly<Record<string, unknown>>,
  { name, authModes, defaultAuthMode }: RequestAdapter,
): readonly RequestProblem[] {
  if (!Object.hasOwn(request, 'authMode')) return []
  const written = request['authMode']
  if (typeof written === 'string' && authModes.includes(written)) return []
  const message = `${name} takes no other auth mode than ${authModes.join(', ')}.`
  const next = `write \`${defaultAuthMode}\`, or leave it out`
  return [{ code: 'auth-mode-unsupported', path: '$.authMode', message, next }]
}

function malformed(message: string): RequestProblem {
  return { code: 'request-malformed', path: '$', message, next: 'give one JSON object' }
}

function refused(problems: readonly RequestProblem[]): CheckedRequest {
  return { kind: 'refused', problems }
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
