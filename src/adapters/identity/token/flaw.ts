/** Why a token is `token_malformed`, for whoever shows it. None of these says more than what stands in the token itself. */
export const tokenFlaws = {
  shape: 'What was shown is no signed JWT: send the token whole and unchanged.',
  issuer: 'The token names no issuer (iss).',
  algorithm: 'The token’s header names no algorithm (alg).',
  extension: 'The token’s header asks for an extension (crit, b64), and none is known here.',
  type: 'The token’s header says that it is another kind of token (typ) than one that shows who calls.',
  keyId: 'The token’s header holds a key id (kid) that is no text.',
  times:
    'The token must hold when it was issued and when it ends (iat, exp), and every time (also nbf) as a number.',
  binding:
    'The token is bound (cnf) to something that cannot be checked here, where a client certificate alone is (x5t#S256).',
} as const

export type TokenFlaw = keyof typeof tokenFlaws

export function isTokenFlaw(word: string): word is TokenFlaw {
  return Object.hasOwn(tokenFlaws, word)
}
