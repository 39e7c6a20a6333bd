import type { Place } from '../contract.ts'
import type { Located } from '../located.ts'
import type { Report } from '../problem.ts'
import { pathLabel } from '../shape-problems.ts'
import type { Rule } from './reference.ts'

/** No secret stands in the file: a contract is committed, shown to agents and published. */
export const providerRule: Rule = (root, report) => {
  for (const [name, provider] of root.at('providers')?.entries ?? []) {
    const config = provider.at('config')
    if (config) refuseInline({ node: config, path: ['providers', name, 'config'], secret: undefined }, report)
  }
}

/** `secret` is the place of a key that names a secret. */
type Visit = { node: Located; path: readonly (string | number)[]; secret: Place | undefined }

function refuseInline({ node, path, secret }: Visit, report: Report): void {
  const scalar = typeof node.value === 'string' || typeof node.value === 'number'
  const reason = secret && scalar ? 'is a secret by its name' : holdsSecret(node.text)
  if (reason)
    report(
      secret ?? node.concealedPlace,
      `${pathLabel(path)} ${reason}, and stands in the contract itself.`,
      'write `{ env: NAME }` or `{ file: /PATH }` here, and change that secret if the file was ever shared',
    )
  if (isValueSource(node)) return
  for (const [index, item] of node.items.entries())
    refuseInline({ node: item, path: [...path, index], secret }, report)
  for (const [key, child] of node.entries)
    refuseInline(
      { node: child, path: [...path, key], secret: isSecretName(key) ? child.keyPlace : undefined },
      report,
    )
}

function isValueSource(node: Located): boolean {
  const keys = [...node.entries.keys()]
  return keys.length === 1 && (keys[0] === 'env' || keys[0] === 'file')
}

/** Why a text must not stand in a contract, if so; it completes a sentence. */
export function holdsSecret(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'holds a private key'
  if (/:\/\/[^/?#\s:@]*:[^/?#\s@]+@/.test(text)) return 'holds a password in its URL'
  return undefined
}

const secretWord =
  /^(password|passwd|passphrase|pwd|secret|token|key|credential|apikey|privatekey|accesskey)s?$/

/** `adminPassword`, `client_secret`, `API_KEY`; not `keyId`, `tokenLifetime`, `publicKey`. */
export function isSecretName(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  return secretWord.test(words.at(-1) ?? '') && words.at(-2) !== 'public'
}
