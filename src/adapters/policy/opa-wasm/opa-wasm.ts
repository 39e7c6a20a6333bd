import { loadPolicy } from '@open-policy-agent/opa-wasm'
import { type PolicyEngine, policyUnavailable, readPolicyAnswer } from '../../../broker/index.ts'
import type { PolicyData } from '../../../contract/index.ts'
import { Failure, sha256, sha256Hex } from '../../../primitives/index.ts'

const pageBytes = 65_536

/** 2 GiB: the loader reads addresses as signed numbers and cannot reach what lies above. */
const memoryPagesMax = 32_768

/** Measured: parsed data takes 14 bytes of WebAssembly memory for each byte of JSON. */
const memoryBytesPerDataByte = 16

/** The most JSON that data can be, which is what fits into the memory with some to spare. */
export const dataBytesMax = 120 * 1024 * 1024

export type WasmPolicyOptions = {
  /** `policy.wasm` out of a bundle of `opa build -t wasm`: ours, or a user's own. */
  readonly wasm: Uint8Array
  readonly data: PolicyData
  /** Stands first in the revision; default `opa-wasm`. */
  readonly name?: string
  /** Default `sallyport/decision`, or the only one there is. */
  readonly entrypoint?: string
  /** Lowers the limit of the same name. */
  readonly dataBytesMax?: number
}

/**
 * A policy engine in this process. Throws `option_invalid` when the bytes are no policy, lack the entrypoint, or the data is over
 * `dataBytesMax`. A decision takes no I/O and no memory that the next one does not use again.
 */
export async function openWasmPolicy(options: WasmPolicyOptions): Promise<PolicyEngine> {
  const { wasm, name = 'opa-wasm' } = options
  const json = Buffer.from(JSON.stringify(options.data))
  const bytesMax = Math.min(options.dataBytesMax ?? dataBytesMax, dataBytesMax)
  if (json.length > bytesMax) throw tooLarge(json.length, bytesMax)
  const { policy, entrypoint } = await load(wasm, json, options.entrypoint)
  return {
    revision: `${name} sha256:${sha256Hex(Buffer.concat([sha256(wasm), sha256(json)]))}`,
    async decide(question, signal) {
      if (signal.aborted) throw policyUnavailable('aborted before the decision', signal.reason)
      return readPolicyAnswer(only(evaluate(policy, question, entrypoint)))
    },
  }
}

type Policy = Awaited<ReturnType<typeof loadPolicy>>

async function load(
  wasm: Uint8Array,
  json: Buffer,
  wanted: string | undefined,
): Promise<{ readonly policy: Policy; readonly entrypoint: string }> {
  // Memory that grows page by page while the data is parsed made 100 000 grants take 7 s instead of 0.3 s.
  const initial = 16 + Math.ceil((json.length * memoryBytesPerDataByte) / pageBytes)
  try {
    const policy = await loadPolicy(Uint8Array.from(wasm), { initial, maximum: memoryPagesMax })
    const entrypoint = chooseEntrypoint(Object.keys(policy.entrypoints), wanted)
    policy.setData(Uint8Array.from(json).buffer)
    return { policy, entrypoint }
  } catch (thrown) {
    throw invalid(thrown)
  }
}

function chooseEntrypoint(names: readonly string[], wanted: string | undefined): string {
  const usual = names.includes('sallyport/decision') ? 'sallyport/decision' : undefined
  const chosen = wanted ?? usual ?? (names.length === 1 ? names[0] : undefined)
  if (chosen === undefined || !names.includes(chosen))
    throw new Error(`its entrypoints are ${names.join(', ')}`)
  return chosen
}

function evaluate(policy: Policy, question: object, entrypoint: string): unknown {
  try {
    return policy.evaluate(question, entrypoint)
  } catch (thrown) {
    throw policyUnavailable(words(thrown), thrown)
  }
}

/** The one result of a result set; an undefined decision is an empty set. */
function only(results: unknown): unknown {
  if (!Array.isArray(results) || results.length !== 1)
    throw policyUnavailable('the decision is undefined or has several values')
  const result: unknown = results[0]
  return typeof result === 'object' && result !== null && 'result' in result ? result.result : undefined
}

function tooLarge(bytes: number, bytesMax: number): Failure {
  return new Failure('option_invalid', `The grants are ${bytes} bytes as policy data, over ${bytesMax}.`, {
    next: 'use an OPA server, which has no such limit, or fewer grants with patterns',
  })
}

function invalid(thrown: unknown): Failure {
  return new Failure('option_invalid', `The policy cannot be loaded: ${words(thrown)}.`, {
    cause: thrown,
    next: 'build it with: opa build -t wasm -e sallyport/decision <files>, and take policy.wasm out of the bundle',
  })
}

/** The loader throws texts and plain objects as well as errors. */
function words(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  const message = typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : ''
  return typeof message === 'string' ? message : ''
}
