import { X509Certificate } from 'node:crypto'
import { validateHeaderName } from 'node:http'
import { createSecureContext } from 'node:tls'
import { codeOf, SallyportError } from './error.ts'
import type { Patience } from './patience.ts'

/** What proves who calls. A token may be a function, read anew for each call, because platforms rotate it. */
export type Identity =
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string }
  | { readonly kind: 'token'; readonly token: string | (() => string | Promise<string>) }
  | { readonly kind: 'machine-key'; readonly key: string; readonly header: string }

/** Throws `option_invalid` for a certificate without its key, and for a header that has no such name. */
export function checkIdentity(identity: Identity): void {
  if (identity.kind === 'certificate') checkCertificate(identity)
  if (identity.kind === 'machine-key') checkHeaderName(identity.header)
}

/** Throws `option_invalid` for a text that holds no certificate: TLS would pass over it, and trust nobody or others. */
export function checkAuthority(ca: string): void {
  try {
    new X509Certificate(ca)
  } catch (cause) {
    throw new SallyportError('option_invalid', 'There is no certificate in ca.', { cause, next: pemText })
  }
}

/** The headers that show it. Throws `option_invalid` when the token cannot be had, `timeout` when it is not had in time. */
export async function identityHeaders(
  identity: Identity,
  patience: Patience,
): Promise<Readonly<Record<string, string>>> {
  switch (identity.kind) {
    case 'certificate':
      return {}
    case 'machine-key':
      return { [identity.header]: identity.key }
    case 'token': {
      const { token } = identity
      return { authorization: `Bearer ${typeof token === 'string' ? token : await ask(token, patience)}` }
    }
  }
}

function checkCertificate({ certificate, key }: Extract<Identity, { kind: 'certificate' }>): void {
  try {
    // TLS takes an empty text for no certificate.
    new X509Certificate(certificate)
    createSecureContext({ cert: certificate, key: key || ' ' })
  } catch (cause) {
    const message = `The certificate and the key of the identity are not a certificate and its key${wordOf(cause)}.`
    throw new SallyportError('option_invalid', message, { cause, next: pemText })
  }
}

function checkHeaderName(header: string): void {
  try {
    validateHeaderName(header)
  } catch (cause) {
    throw new SallyportError('option_invalid', 'The header of the machine key is no name of a header.', {
      cause,
      next: 'give the name that stands in the contract, such as X-AOS-Key',
    })
  }
}

const pemText = 'give the PEM text itself, and not the path of its file'

/** The function is the caller's own: it may fail, and it may never answer. What it throws may hold a piece of the token, so its text is not told. */
async function ask(token: () => string | Promise<string>, { signal, late }: Patience): Promise<string> {
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([token(), stopped.promise])
  } catch (cause) {
    if (late())
      throw new SallyportError('timeout', 'The token was not had in time.', { cause, retryable: true })
    if (signal.aborted) throw cause
    throw new SallyportError('option_invalid', `The token could not be had${wordOf(cause)}.`, {
      cause,
      next: 'mend the token function; what it threw is the cause of this error',
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function wordOf(cause: unknown): string {
  const word = codeOf(cause)
  return word && ` (${word})`
}
