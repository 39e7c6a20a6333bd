/** An address of IPv4 that is written as one of IPv6 (RFC 4291 §2.5.5.2) as itself, `127.0.0.1`; any other text as it is. */
export function unmappedAddress(address: string): string {
  const [, dotted, high = '', low = ''] =
    /^::ffff:(?:((?:[0-9]+\.){3}[0-9]+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address) ?? []
  if (dotted !== undefined || high === '') return dotted ?? address
  const number = Number.parseInt(high, 16) * 65_536 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 255).join('.')
}
