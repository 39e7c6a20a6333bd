import type { FailureCode } from '../primitives/index.ts'
import { Secret } from '../primitives/index.ts'

/** A credential as a request shows it: the lower-case header, and all of its value. Attacker-controlled. */
export type ShownCredential = { readonly header: string; readonly value: Secret }

/** Whose credential it is, or why it is nobody's. `subject` is printable ASCII, safe in a header and a log, and no secret. */
export type Checked =
  | { readonly kind: 'proven'; readonly plane: string; readonly subject: string }
  | { readonly kind: 'refused'; readonly code: FailureCode }

export interface CredentialCheck {
  /**
   * MUST NOT throw or reject for a bad credential; MUST refuse what cannot be checked now (`issuer_unavailable`) and MUST end by itself within some
   * seconds. A promise only where something has to be waited for: keys are looked up at once.
   */
  check(shown: ShownCredential): Checked | Promise<Checked>
}

/** Every credential of a request, of whatever plane; a refusal where a header could be read in two ways. */
export function credentialsIn(
  rawHeaders: readonly string[],
  carriers: { has(header: string): boolean },
): readonly ShownCredential[] | { readonly code: FailureCode } {
  const shown: ShownCredential[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    // WSGI, CGI and PHP read `X_AOS_Key` as `X-AOS-Key`; an underscore there is a second spelling of a name that counts.
    if (name.includes('_') && isReserved(name.replaceAll('_', '-'), carriers))
      return { code: 'request_invalid' }
    const value = rawHeaders[at + 1] ?? ''
    if (value === '' || !carriers.has(name)) continue
    if (shown.some(({ header }) => header === name)) return { code: 'identity_ambiguous' }
    shown.push({ header: name, value: new Secret(value) })
  }
  return shown
}

function isReserved(name: string, carriers: { has(header: string): boolean }): boolean {
  return carriers.has(name) || name.startsWith(identityPrefix)
}

/** Headers with this prefix tell the back end who calls; a client's own are never passed on. */
export const identityPrefix = 'x-sallyport-'
