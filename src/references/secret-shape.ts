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

function kindOf(text: string, looking: Looking): string | undefined {
  const shape = shapes.find(([pattern]) => pattern.test(text))
  if (shape) return shape[1]
  if (looking.wrappings < wrappingsMax)
    for (const inner of unwrapped(text)) {
      const kind = kindOf(inner, { ...looking, wrappings: looking.wrappings + 1 })
      if (kind !== undefined) return kind.startsWith('encoded ') ? kind : `encoded ${kind}`
    }
  return runsOf(text).some((run) => isRandom(run, looking)) ? 'random text' : undefined
}

/** Public shapes of tokens, by their issuers' prefixes. What repeats is bounded or begins once in a run: a long text must not cost its square. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/, 'private key'],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/, 'AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}/, 'GitHub token'],
  [/\bglpat-[\w-]{16,}/, 'GitLab token'],
  [/\bxox[abeoprs]-[\w-]{8,}|\bxapp-[\w-]{8,}/, 'Slack token'],
  [/\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}|\bwhsec_[A-Za-z0-9+/=]{16,}/, 'Stripe key'],
  [/\bsk-(?:ant-|proj-|or-)?[\w-]{16,}/, 'API key'],
  [/\bAIza[\w-]{30,}|\bya29\.[\w-]{16,}|\bGOCSPX-[\w-]{16,}/, 'Google key'],
  [/\bhv[sbr]\.[\w-]{16,}/, 'Vault token'],
  [/\bnpm_[A-Za-z0-9]{30,}|\bpypi-[\w-]{16,}|\bdckr_pat_[\w-]{16,}/, 'registry token'],
  [/(?<![\w-])SG\.[\w-]{16,}\.[\w-]{16,}/, 'SendGrid key'],
  [/(?<![\w-])eyJ[\w-]{5,}\.eyJ[\w-]{2,}\.[\w-]*/, 'JSON Web Token'],
  [/\b(?:Bearer|Basic|Token)\s+[\w+/=.~-]{8,}/i, 'authorization header'],
  [/\b(?:Account|SharedAccess)Key=[\w+/=]{16,}|[?&;]sig=[\w%+/=-]{16,}/i, 'Azure key'],
  // `user:password@` of an address, also where the rest is no URL.
  [/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:]{0,256}:[^\s/?#@]{1,256}@/i, 'password in an address'],
  [/[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:]{12,256}@/i, 'token in an address'],
  [
    /(?:^|[?&;,\s"'{])(?:password|passwd|pwd|secret|client_secret|api[_-]?key|access[_-]?token|auth[_-]?token)["']?\s*[=:]\s*["']?[^\s"'&;,<>{}]{3,}/i,
    'named secret',
  ],
]

/** What the text says once it is decoded. */
function* unwrapped(text: string): Iterable<string> {
  if (/%[0-9a-f]{2}/i.test(text))
    yield text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)) {
    const decoded = printable(Buffer.from(run, 'base64'))
    if (decoded !== undefined) yield decoded
    if (/^(?:[0-9a-f]{2}){8,}$/i.test(run)) {
      const fromHex = printable(Buffer.from(run, 'hex'))
      if (fromHex !== undefined) yield fromHex
    }
  }
}

function printable(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8')
  return /^[\x20-\x7e\r\n\t]+$/.test(text) ? text : undefined
}

/** Stretches without a break, as keys are. A UUID is an identifier. */
function runsOf(text: string): readonly string[] {
  return text.replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, ' ').split(/[^A-Za-z0-9+/_=-]+/)
}

const randomCharactersMin = 20
const hexCharactersMin = 32
/** Of Shannon entropy: English words joined by dashes stay below it at this length. */
const bitsPerCharacterMin = 3.5

function isRandom(run: string, { digests }: Looking): boolean {
  if (/^[0-9a-f]+$/i.test(run))
    return run.length >= hexCharactersMin && digests === 'unexpected' && /[a-f]/i.test(run) && /\d/.test(run)
  // Words, numbers and dates in a name or path are no key; what is left of it may be one.
  const rest = run.split(/[-_/]+/).filter((piece) => !wordLike.test(piece))
  const text = rest.join('')
  const classes = [/[a-z]/, /[A-Z]/, /\d/].filter((pattern) => pattern.test(text)).length
  return text.length >= randomCharactersMin && classes >= 2 && entropyBits(text) >= bitsPerCharacterMin
}

const wordLike =
  /^(?:[A-Z]?[a-z]{0,24}|[A-Z]{1,24}|(?:[A-Z]{1,4}[a-z]{2,16}|[A-Z]{2,4}\d){1,8}|\d{1,14}|[A-Za-z]{1,16}\d{1,4})$/

function entropyBits(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return -[...counts.values()].reduce((sum, count) => {
    const share = count / text.length
    return sum + share * Math.log2(share)
  }, 0)
}
