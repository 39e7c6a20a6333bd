/** A regular expression, without its ends, for the whole numbers from 1 to `max` as they are written in decimal. */
export function upTo(max: number): string {
  const digits = String(max)
  const shorter = digits.length > 1 ? [`[1-9][0-9]{0,${digits.length - 2}}`] : []
  // As many digits: the first that differs is smaller, and then come any.
  const smaller = [...digits].flatMap((digit, place) => {
    const least = place === 0 ? 1 : 0
    if (Number(digit) <= least) return []
    const range = Number(digit) - 1 === least ? `${least}` : `[${least}-${Number(digit) - 1}]`
    const rest = digits.length - place - 1
    return [`${digits.slice(0, place)}${range}${rest > 0 ? `[0-9]{${rest}}` : ''}`]
  })
  return `(?:${[...shorter, ...smaller, digits].join('|')})`
}
