import { z } from 'zod'
import { formatDuration, parseDurationSeconds } from '../primitives/index.ts'

/** What a text must be: `must` completes "… must be", `next` is the change that mends it. */
export type TextRule = {
  readonly must: string
  readonly next: string
  /** For editors, and checked. */
  readonly pattern?: RegExp
  /** For what a pattern cannot say. */
  readonly test?: (text: string) => boolean
  /** The value could hold a secret, so no message repeats it. */
  readonly hidden?: true
  readonly examples?: readonly string[]
}

/** A text with a rule; a broken rule is a `custom` issue whose `params` carry `next` and `hidden`. */
export function text(rule: TextRule) {
  const holds = (value: string) =>
    (rule.pattern?.test(value) ?? true) && (rule.test === undefined || rule.test(value))
  return z
    .string()
    .refine(holds, { error: rule.must, params: { next: rule.next, hidden: rule.hidden ?? false } })
    .meta({
      ...(rule.pattern ? { pattern: rule.pattern.source } : {}),
      ...(rule.examples ? { examples: [...rule.examples] } : {}),
    })
}

/** Names of tenants, modes, agents, providers, services, actions, issuers and grants. */
export const name = text({
  must: 'a name: a letter, then at most 62 letters, digits, `_`, `.` or `-`',
  next: 'rename it, such as `orders-db`',
  pattern: /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/,
})

export const variableName = text({
  must: 'the name of an environment variable: a letter, then letters, digits or `_`',
  next: 'rename it, such as `AOS_MODE`',
  pattern: /^[A-Za-z][A-Za-z0-9_]{0,62}$/,
})

/** Free text of one line, of at most `lengthMax` characters. */
export function line(lengthMax: number) {
  return text({
    must: `text on one line, of 1 to ${lengthMax} characters`,
    next: 'shorten it, or put it on one line',
    pattern: new RegExp(`^[^\\u0000-\\u001f]{1,${lengthMax}}$`, 'u'),
  })
}

/** A duration with its unit, at least one second; `secondsMax` is the longest one. */
export function duration(secondsMax: number, example = '15m') {
  return text({
    must: `a duration such as \`${example}\`, at most ${formatDuration(secondsMax)}`,
    next: 'write a whole number and its unit: `s`, `m`, `h` or `d`',
    pattern: /^[1-9][0-9]{0,8}[smhd]$/,
    test: (value) => (parseDurationSeconds(value) ?? Number.POSITIVE_INFINITY) <= secondsMax,
    examples: [example],
  })
}

/** As `duration`, or `0s`. */
export function durationOrNone(secondsMax: number) {
  return text({
    must: `a duration such as \`15m\`, at most ${formatDuration(secondsMax)}, or \`0s\``,
    next: 'write a whole number and its unit: `s`, `m`, `h` or `d`',
    pattern: /^(0s|[1-9][0-9]{0,8}[smhd])$/,
    test: (value) => durationSeconds(value) <= secondsMax,
    examples: ['15m', '0s'],
  })
}

/** Seconds of a duration that a shape has already checked. */
export function durationSeconds(checked: string): number {
  return checked === '0s' ? 0 : (parseDurationSeconds(checked) ?? Number.POSITIVE_INFINITY)
}

/** `sha256:` and 64 lower-case hexadecimal characters. `next` says how to get them. */
export function fingerprint(next: string) {
  return text({
    must: '`sha256:` and 64 lower-case hexadecimal characters',
    next,
    pattern: /^sha256:[0-9a-f]{64}$/,
    hidden: true,
  })
}

/** OpenID Connect Discovery 1.0 §3: an https URL without query or fragment; here http on a loopback address too. */
export const issuerUrl = text({
  must: 'an https URL without credentials, query or fragment (http on a loopback address alone)',
  next: 'write the whole URL, such as `https://login.example.com`',
  pattern: /^https?:\/\/[^\s?#@]+$/,
  test: isSecureUrl,
  hidden: true,
})

/** As `issuerUrl`, but some issuers tell their key sets apart by a query. */
export const keysUrl = text({
  must: 'an https URL without credentials or fragment (http on a loopback address alone)',
  next: 'write the whole URL, such as `https://login.example.com/keys`',
  pattern: /^https?:\/\/[^\s#@]+$/,
  test: isSecureUrl,
  hidden: true,
})

/** An http or https URL without credentials. */
export const webUrl = text({
  must: 'an http or https URL without credentials in it',
  next: 'write the whole URL, such as `http://127.0.0.1:9093`',
  pattern: /^https?:\/\/\S+$/,
  test: (value) => {
    const url = URL.parse(value)
    return url !== null && url.username === '' && url.password === '' && url.hash === ''
  },
  hidden: true,
})

function isSecureUrl(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || isLoopback(url.hostname)
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.[0-9]{1,3}){3}$/.test(hostname)
}

/** SPIFFE-ID §2: trust domain and path of a workload; the root alone names no workload. */
export const spiffeId = text({
  must: 'a SPIFFE ID such as `spiffe://example.org/ns/acme/sa/agent-7`',
  next: 'write `spiffe://`, a lower-case trust domain, and a path without a trailing slash, `.` or `..`',
  pattern: /^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)+$/,
  test: (value) => value.length <= 2048 && !value.split('/').some((part) => part === '.' || part === '..'),
  examples: ['spiffe://example.org/ns/acme/sa/agent-7'],
})

/** RFC 9110 §5.1, without the fields that HTTP, proxies or this broker give a meaning to. */
export const headerName = text({
  must: 'the name of a request header that HTTP, proxies and this broker leave free',
  next: 'name a header such as `X-AOS-Key`',
  pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
  test: (value) => !takenHeader.test(value),
  examples: ['X-AOS-Key'],
})

const takenHeader =
  /^(accept|access-control|authorization|cache-control|connection|content|cookie|date|dpop|expect|forwarded|from|host|idempotency-key|if|keep-alive|max-forwards|origin|pragma|proxy|range|referer|sec|set-cookie|te|trailer|transfer|traceparent|tracestate|upgrade|user-agent|via|warning|x-forwarded|x-real-ip|x-request-id)(-.*)?$/i

/** A day, `YYYY-MM-DD` (RFC 3339 §5.6). */
export const date = text({
  must: 'a day such as `2026-01-18`',
  next: 'write year, month and day',
  pattern: /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/,
  test: (value) => new Date(`${value}T00:00:00Z`).toJSON()?.startsWith(value) === true,
  examples: ['2026-01-18'],
})

/**
 * A path of an HTTP request in which `*` may stand for a segment. Each has one spelling, and is one that a request can have: no escape, no
 * parameter of a framework's own (`{id}`, `:id`, `(.:format)`), which would be taken for its letters and never match.
 */
export const endpoint = text({
  must: 'a path such as `/api/v1/runs/*`, where `*` is a whole segment',
  next: 'begin with `/`, write `*` for a parameter (`{id}`, `:id`), and neither query, `;`, `..` nor an escape such as `%40`',
  pattern: /^\/[A-Za-z0-9._~!$&'()+,:=@*/-]{0,511}$/,
  test: (value) =>
    !value.includes('//') &&
    value.split('/').every((part) => part === '*' || !/\*|^\.+$|(?<![A-Za-z0-9]):/.test(part)),
  examples: ['/api/v1/runs/*'],
})

/** A path of a file, relative to the repository. */
export const filePath = text({
  must: 'a path such as `docs/policy.md`, relative to the repository',
  next: 'write the path without a leading `/` and without `..`',
  pattern: /^[A-Za-z0-9._-][A-Za-z0-9._/-]{0,254}$/,
  test: (value) => !value.split('/').some((part) => part === '' || part === '.' || part === '..'),
  examples: ['docs/policy.md'],
})

/** A path of a secret store. */
export const secretPath = text({
  must: 'a path of a secret store, such as `orders/database`',
  next: 'write the path alone, never a value',
  pattern: /^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$/,
  hidden: true,
  examples: ['orders/database'],
})

/** A regular expression of ECMAScript, with the flag `u`. */
export const expression = text({
  must: 'a regular expression of at most 512 characters',
  next: 'mend its brackets and escapes; in YAML, single quotes keep backslashes',
  test: (value) => value.length <= 512 && compiles(value),
})

/**
 * As `expression`, in the part that ECMAScript, Python and POSIX extended expressions read alike: no group that begins with `(?`, no lazy
 * quantifier, and a backslash before punctuation alone. Guards in all three must agree.
 */
export const portableExpression = text({
  must: 'a regular expression that ECMAScript, Python and `grep -E` read alike, of at most 512 characters',
  next: 'write `[0-9]` for `\\d`, and use neither `(?…)`, `\\b`, `\\1` nor `*?`',
  test: (value) =>
    value.length <= 512 && compiles(value) && !/\(\?|[*+?}][?+]|\\[A-Za-z0-9]|[^\x20-\x7e]/.test(value),
})

function compiles(source: string): boolean {
  try {
    new RegExp(source, 'u')
    return true
  } catch {
    return false
  }
}
