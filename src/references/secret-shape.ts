import { holdsRandomText } from './random-text.ts'
import { isSecretName } from './secret-name.ts'

/**
 * What kind of secret a text looks like, or `undefined`. It errs towards secrets: a request refused in error costs a minute, one let
 * through costs a rotation. Hexadecimal digits alone are a secret only where `digests` does not say that digests stand there.
 */
export function secretKindOf(
  text: string,
  options: { readonly digests: 'expected' | 'unexpected' } = { digests: 'unexpected' },
): string | undefined {
  return kindOf(text, { ...options, wrappings: 0 })
}

type Looking = { readonly digests: 'expected' | 'unexpected'; readonly wrappings: number }

/** How often a text is unwrapped: base64 in base64 in percent-encoding. */
const wrappingsMax = 3

/** The shortest of the shapes is `pwd=abc`. */
const secretCharactersMin = 7

function kindOf(text: string, looking: Looking): string | undefined {
  if (text.length < secretCharactersMin) return undefined
  const shape = shapes.find(([pattern]) => pattern.test(text))
  if (shape) return shape[1]
  const kind = kindByContext(text)
  if (kind !== undefined) return kind
  if (looking.wrappings < wrappingsMax)
    for (const inner of unwrapped(text)) {
      const kind = kindOf(inner, { ...looking, wrappings: looking.wrappings + 1 })
      if (kind !== undefined) return kind.startsWith('encoded ') ? kind : `encoded ${kind}`
    }
  return isRandom(text, looking) ? 'random text' : undefined
}

/** Public shapes of tokens, by their issuers' prefixes. What repeats is bounded or begins once in a run: a long text must not cost its square. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/, 'private key'],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/, 'AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}/, 'GitHub token'],
  [/\bglpat-[\w-]{16,}/, 'GitLab token'],
  [/\bxox[abeoprs]-[\w-]{8,}|\bxapp-[\w-]{8,}/, 'Slack token'],
  [/\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}|\bwhsec_[A-Za-z0-9+/=]{16,}/, 'Stripe key'],
  // Without a dash and with a digit or capital: `sk-slovakia-bratislava` is a place.
  [/\bsk-(?:(?:ant|proj|or|svcacct|admin|lf)-[\w-]{16,}|(?=[a-z]{0,40}[A-Z0-9])[A-Za-z0-9]{16,})/, 'API key'],
  [/\bAIza[\w-]{30,}|\bya29\.[\w-]{16,}|\bGOCSPX-[\w-]{16,}/, 'Google key'],
  [/\bhv[sbr]\.[\w-]{16,}/, 'Vault token'],
  [/\bnpm_[A-Za-z0-9]{30,}|\bpypi-Ag[\w-]{14,}|\bdckr_pat_[\w-]{16,}/, 'registry token'],
  [/(?<![\w-])SG\.[\w-]{16,}\.[\w-]{16,}/, 'SendGrid key'],
  [/(?<![\w-])eyJ[\w-]{5,}\.eyJ[\w-]{2,}\.[\w-]*/, 'JSON Web Token'],
  [
    /\bauthorization["']?\s{0,8}[:=]\s{0,8}["']?(?:Basic|Bearer|Token|ApiKey)\s{1,8}\S{3}/i,
    'authorization header',
  ],
  [/\b(?:Account|SharedAccess)Key=[\w+/=]{16,}|[?&;]sig=[\w%+/=-]{16,}/i, 'Azure key'],
  // `user:password@` of an address, also where the rest is no URL.
  [/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:]{0,256}:[^\s/?#@]{1,256}@/i, 'password in an address'],
]

/** What only the words around it tell from an ordinary word. */
function kindByContext(text: string): string | undefined {
  if (some(text, /\b(?:Bearer|Token)\s{1,8}([\w+/=.~-]{8,})/gi, isOpaque)) return 'authorization header'
  if (some(text, /\bBasic\s{1,8}([\w+/-]{8,}={0,2})/gi, isUserAndPassword)) return 'authorization header'
  if (some(text, /[a-z][a-z0-9+.-]{0,30}:\/\/([^\s/?#@:]{12,256})@/gi, isOpaqueUser))
    return 'token in an address'
  if (some(text, assigned, isSecretName) || some(text, stated, isStatedSecret)) return 'named secret'
  return undefined
}

function some(text: string, pattern: RegExp, holds: (word: string) => boolean): boolean {
  for (const [, word = ''] of text.matchAll(pattern)) if (holds(word)) return true
  return false
}

/** `Bearer authentication`, `token ListAccounts` and `token 2026-01-31` are none. */
function isOpaque(word: string): boolean {
  const isWritten = /^(?:[A-Z]?[a-z]+|[A-Z]+)(?:[A-Z][a-z]+|[-_./][A-Z]?[a-z]+)*[.~-]*$/.test(word)
  return isWritten ? isMade(word) : !/^\d{1,4}(?:[-.]\d{1,4})+$/.test(word)
}

/** `abfss://billing-exports2026@…` names a container. */
function isOpaqueUser(user: string): boolean {
  return /\d[a-z]/i.test(user) || isMade(user)
}

/** At eight characters some words look made and some keys written: only where a key is likely. */
function isMade(word: string): boolean {
  return holdsRandomText(word, { bitsMin: 10, charactersMin: 8 })
}

/** RFC 7617; `Basic CloudWatch` is a product. */
function isUserAndPassword(word: string): boolean {
  return printable(Buffer.from(word, 'base64'))?.includes(':') ?? false
}

/** `NAME=value`, `--name value`: the name, looked for backwards from what stands behind it. */
const assigned =
  /(?<=([\w.-]{1,64})["']?\s{0,8})(?:=>?\s{0,8}|(?<=--[\w-]{1,64})[ \t]{1,8}(?!-))(?=["']?[^\s"'&;,<>{}]{3})/g

/** `name: value` and `"name": "value"`; an ARN has `:secret:` within. */
const stated = /(?<=(?:^|[?&;,\s"'`{([])([\w.-]{1,64}["']?)\s{0,8}):\s{0,8}(?=["']?[^\s"'&;,<>{}]{3})/g

/** `Token: expired`, `cookies: none` and `secrets-api:8080` are sentences and hosts, as long as nothing quotes the name. */
function isStatedSecret(name: string): boolean {
  const bare = name.replace(/["']$/, '')
  return isSecretName(bare) && (bare !== name || /(?:pass\w*|pwd|secret|key|[\w.-]token)\d*$/i.test(bare))
}

/** What the text says once it is decoded. */
function* unwrapped(text: string): Iterable<string> {
  if (/%[0-9a-f]{2}/i.test(text))
    yield text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)) yield* readable(run, 'base64')
  // Also `0x70`, `v1_70…`, `70:61`, `\x70\x61`; which of two digits begins a byte, nothing says.
  for (const [run] of text.matchAll(/(?:[0-9a-f]{2}(?:[:\s_-]|\\x|,?\s?0x)?){8,}/gi)) {
    const hex = run.replace(/0x|[^0-9a-f]/gi, '')
    yield* readable(hex, 'hex')
    yield* readable(hex.slice(1), 'hex')
  }
}

function* readable(text: string, encoding: 'base64' | 'hex'): Iterable<string> {
  const decoded = printable(Buffer.from(text, encoding))
  if (decoded !== undefined) yield decoded
}

function printable(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8')
  return /^[\x20-\x7e\r\n\t]+$/.test(text) ? text : undefined
}

function isRandom(text: string, { digests }: Looking): boolean {
  const rest = text.replace(identifiers, ' ')
  if (digests === 'expected') return holdsRandomText(rest.replace(hexWords, ' '))
  return holdsHexKey(rest) || holdsRandomText(rest.replace(shortHex, ' '))
}

/** UUIDs, addresses of IPv6, and digests that say which they are and have its length. */
const identifiers =
  /(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<!:)(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?!:)|sha256[:-](?:[0-9a-f]{64}|[a-z0-9+/]{43}=)|sha384[:-](?:[0-9a-f]{96}|[a-z0-9+/]{64})|sha512[:-](?:[0-9a-f]{128}|[a-z0-9+/]{86}==))(?![0-9a-z+/=])/gi

/** Bytes with colons too, as fingerprints have. */
const hexWords = /(?<![0-9a-z])(?:[0-9a-f]{6,}|[0-9a-f]{2}(?::[0-9a-f]{2})+)(?![0-9a-z])/gi

/** Ids of resources and commits; alone also those of databases, as long as they are no key. */
const shortHex = /(?<![0-9a-z])[0-9a-f]{6,19}(?![0-9a-z])|(?<![\w-])[0-9a-f]{20,31}(?![\w-])/gi

const hexCharactersMin = 32

/** Hexadecimal digits, also in groups: most of them in groups with a letter, since dates and numbers of accounts have none. */
function holdsHexKey(text: string): boolean {
  return some(text, /([a-z0-9]+(?:[-:._][a-z0-9]+)*)/gi, (run) => {
    const groups = run.split(/[-:._]/).filter((group) => /^[0-9a-f]{2,}$/i.test(group))
    const digits = groups.join('')
    const lettered = groups.filter((group) => /[a-f]/i.test(group)).join('')
    return digits.length >= hexCharactersMin && lettered.length >= hexCharactersMin / 2 && /\d/.test(digits)
  })
}
