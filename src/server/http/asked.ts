/** How often each group asked lately. */
export interface Asked {
  count(group: string): void
  /** Whether it asked less than the busiest one by that factor. */
  seldom(group: string): boolean
  turn(): void
}

/** Counts over so many turns and as many before: no clock, and nothing of a group is kept that asks no more. */
export function createAsked(limits: { readonly seldomFactor: number; readonly seldomTurns: number }): Asked {
  let [now, before] = [new Map<string, number>(), new Map<string, number>()]
  let [mostNow, mostBefore] = [0, 0]
  let turns = 0
  const countOf = (group: string) => (now.get(group) ?? 0) + (before.get(group) ?? 0)
  return {
    count(group) {
      now.set(group, (now.get(group) ?? 0) + 1)
      mostNow = Math.max(mostNow, now.get(group) ?? 0)
    },
    seldom: (group) => countOf(group) * limits.seldomFactor < mostNow + mostBefore,
    turn() {
      turns += 1
      if (turns % limits.seldomTurns !== 0) return
      before = now
      mostBefore = mostNow
      now = new Map()
      mostNow = 0
    },
  }
}
