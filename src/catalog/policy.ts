import { readFile } from 'node:fs/promises'
import { openOpaServer } from '../adapters/policy/opa-server/index.ts'
import { openWasmPolicy } from '../adapters/policy/opa-wasm/index.ts'
import type { PolicyEngine } from '../broker/index.ts'
import { type Contract, policyData } from '../contract/index.ts'
import { Failure, type Secret } from '../primitives/index.ts'
import { assetPath } from './assets.ts'

/** Which engine decides: the bundle that ships, a user's own bundle, or an OPA server that has been given the policy and its data. */
export type PolicyChoice =
  | { readonly kind: 'bundled' }
  | { readonly kind: 'bundle'; readonly file: string }
  | { readonly kind: 'server'; readonly url: string; readonly token?: Secret }

export async function openPolicy(contract: Contract, choice: PolicyChoice): Promise<PolicyEngine> {
  switch (choice.kind) {
    case 'bundled':
      return openWasmPolicy({
        wasm: await wasmOf(assetPath('policies/bundle/policy.wasm')),
        data: policyData(contract),
      })
    case 'bundle':
      return openWasmPolicy({
        wasm: await wasmOf(choice.file),
        data: policyData(contract),
        name: 'own-bundle',
      })
    case 'server':
      return openOpaServer({ url: choice.url, ...(choice.token ? { token: choice.token } : {}) })
  }
}

async function wasmOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new Failure('option_invalid', `The policy ${file} cannot be read.`, {
      cause,
      next: 'opa build -t wasm -e sallyport/decision, and take policy.wasm out of the bundle',
    })
  }
}
