/**
 * Whether the text is the SPIFFE ID of a workload: `spiffe://`, a trust domain of at most 255 characters, a path that is not empty,
 * at most 2048 characters (SPIFFE-ID §2; X509-SVID §2 wants a path on a leaf). No port, query, fragment, escape, or dot segment.
 */
export function isSpiffeId(text: string): boolean {
  const match = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/.exec(text)
  if (!match || text.length > 2048) return false
  return !match[2]?.split('/').some((segment) => segment === '.' || segment === '..')
}
