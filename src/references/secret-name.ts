/**
 * A name under which secrets are kept: one of its words says so, wherever it stands and whatever stands behind it (`tokenProd`, `password2`).
 * A name that says something about a secret is none: `passwordPolicy`, `secretName`, `maxTokens`, `nextPageToken`.
 */
export function isSecretName(name: string): boolean {
  const written = asWritten(name)
  if (!/pass|pwd|secret|token|key|credential|authorization|bearer|cookie|connection/.test(lettersOf(written)))
    return false
  const words = wordsOf(written)
  const joined = words.join('')
  if (!secretWords.test(joined) && !/^(?:pass|pwd)$/.test(words.at(-1) ?? '')) return false
  if (pageTokens.test(joined) || countedTokens.test(joined)) return false
  return secretIds.test(joined) || !saysAbout.test(words.at(-1) ?? '')
}

/** Such a name whose value may be a count: `tokens` are also what a model is billed by. */
export function mayCount(name: string): boolean {
  return !secretWords.test(lettersOf(asWritten(name)).replaceAll('tokens', ''))
}

/**
 * A name that mixes ASCII letters with those of another alphabet, so that nobody sees which name it is. Chinese, Japanese and Korean stand
 * beside them in names and look like none of them (UTS #39 §5.2, highly restrictive).
 */
export function mixesAlphabets(name: string): boolean {
  const read = asItReads(name)
  return (
    /[a-z]/.test(read) && /[^\P{L}a-z\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}]/u.test(read)
  )
}

const secretWords =
  /password(?!less)|passwd|passphrase|passcode|secret(?!ar)|token(?!i[sz]|omic)|credential|authorization|bearer|cookie|connectionstring|keymaterial|(?:api|private|access|secret|account|signing|encryption|master|shared|hmac|ssh|storage|subscription)key(?!word|board|stroke|note)|(?:^|db|user|admin|root|my|pg)(?:pass|pwd)\d*$|pwd\d*$/

const pageTokens = /(?:page|pagination|continuation|next|starting|sync|cursor|idempotency)token$/
const countedTokens = /(?:max|min|input|output|prompt|completion|total)[a-z]{0,40}tokens$/

/** Half of the secret itself, as AWS and Vault use the words. */
const secretIds = /(?:accesskey|secret)ids?$/

/** The last word of a name of what is known of a secret. */
const saysAbout =
  /^(?:\w*name|ref|reference|arn|id|kind|type|manager|backend|store|provider|source|resolver|vault|path|file|dir|folder|stdin|env|var|variable|location|region|host|domain|url|uri|endpoint|field|column|label|title|description|polic(?:y|ie)|mode|setting|consent|banner|format|algorithm|version|length|size|count|limit|max|min|quota|rate|price|cost|budget|used|usage|use|index|age|ttl|lifetime|expiry|expire|expiration|expiresat|expiresin|day|hour|minute|second|date|time|at|in|rotation|rotated|required|enabled|disabled|supported|allowed|valid|status|state|scope|audience|issuer|group|owner)(?:s|es)?\d*$/

function lettersOf(written: string): string {
  return written.toLowerCase().replace(/[^a-z0-9]+/g, '')
}

function wordsOf(written: string): readonly string[] {
  return written
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

function asItReads(name: string): string {
  return asWritten(name).toLowerCase()
}

/** Wide letters, accents, what does not print, and letters that an ASCII one is taken for make no other word of it. */
function asWritten(name: string): string {
  if (/^[ -~]*$/.test(name)) return name
  return name
    .normalize('NFKD')
    .replace(/[\p{M}\p{C}]/gu, '')
    .replace(/[^\0-\x7f]/gu, (letter) => latin.get(letter) ?? letter)
}

/** Letters of European alphabets that NFKD leaves whole, and of phonetics that look like them. */
const latin = new Map(
  Object.entries({ ß: 'ss', æ: 'ae', œ: 'oe', Æ: 'AE', Œ: 'OE', þ: 'p', Þ: 'P', µ: 'u', μ: 'u' }).concat(
    [
      'aɑ',
      'dđð',
      'DĐÐ',
      'eə',
      'EƏ',
      'fƒ',
      'gɡ',
      'hħ',
      'HĦ',
      'iıɩɪ',
      'kĸ',
      'lł',
      'LŁ',
      'nŋ',
      'NŊ',
      'oøɔ',
      'OØ',
      'tŧ',
      'TŦ',
    ].flatMap(([ascii = '', ...alike]) => alike.map((letter): [string, string] => [letter, ascii])),
  ),
)
