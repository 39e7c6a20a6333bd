/** How many names are compared; a suggestion out of more would be a guess, and a large file must stay quick. */
const candidatesMax = 200
const nameLengthMax = 128

/** The name that was probably meant: the closest one, if it differs by no more than a third of its letters. */
export function nearestName(written: string, names: Iterable<string>): string | undefined {
  if (written.length > nameLengthMax) return undefined
  const wanted = written.toLowerCase()
  let best: { name: string; distance: number } | undefined
  for (const name of [...names].slice(0, candidatesMax)) {
    const limit = Math.max(1, Math.floor(Math.max(name.length, wanted.length) / 3))
    if (Math.abs(name.length - wanted.length) > limit) continue
    const distance = editDistance(wanted, name.toLowerCase())
    if (distance <= limit && (!best || distance < best.distance)) best = { name, distance }
  }
  return best?.name
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1]
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    beforeLast = last
    last = current
  }
  return last[right.length] ?? 0
}
