import { formatDuration } from '../../primitives/index.ts'
import type { Place } from '../contract.ts'

/** `looser`: something is permitted that was not, or no longer asked for · `tighter`: the reverse · `other`: neither. */
export type Effect = 'looser' | 'tighter' | 'other'

/** One rule that is not what it was. */
export type RuleChange = {
  readonly effect: Effect
  /** Where it stands in the contract, such as `variables.DATABASE_URL`. */
  readonly rule: string
  readonly message: string
  /** Who answered for it before; for what is new, who answers for it now. */
  readonly owners: readonly string[]
  /** In the older contract. */
  readonly before?: Place
  /** In the newer one. */
  readonly after?: Place
}

/** A change whose owners are still to be found, unless they are named. */
export type Draft = Omit<RuleChange, 'owners'> & { readonly owners?: readonly string[] }

export type Sides<Value> = { readonly before: Value; readonly after: Value }

/** What follows from something being there on one side alone. */
export type Judged = { readonly added: Effect; readonly removed: Effect }

/** What more of it permits more. */
export const permits: Judged = { added: 'looser', removed: 'tighter' }

/** What more of it forbids more. */
export const demands: Judged = { added: 'tighter', removed: 'looser' }

export const informs: Judged = { added: 'other', removed: 'other' }

/** The same with both sides run through a function. */
export function both<From, To>({ before, after }: Sides<From>, turn: (value: From) => To): Sides<To> {
  return { before: turn(before), after: turn(after) }
}

type Named = { readonly place?: Place }

/** Things by name: what came, what went, and what changed within. `noun` completes "… NAME was added". */
export function compareEntries<Value extends Named>(
  rule: string,
  { before, after }: Sides<ReadonlyMap<string, Value>>,
  how: {
    readonly noun: string
    readonly judged: Judged | ((value: Value) => Judged)
    /** Who answers for one of them; absent, whoever answers for the contract. */
    readonly owners?: (value: Value) => readonly string[]
    readonly within?: (rule: string, sides: Sides<Value>, name: string) => readonly Draft[]
  },
): readonly Draft[] {
  const judge = (value: Value) => (typeof how.judged === 'function' ? how.judged(value) : how.judged)
  const changes: Draft[] = []
  for (const [name, value] of before) {
    const path = `${rule}.${name}`
    const now = after.get(name)
    const known = {
      ...placesOf({ before: value, after: now }),
      ...(how.owners && { owners: how.owners(value) }),
    }
    if (now === undefined)
      changes.push({
        effect: judge(value).removed,
        rule: path,
        message: `${how.noun} ${name} was removed.`,
        ...known,
      })
    else
      for (const draft of how.within?.(path, { before: value, after: now }, name) ?? [])
        changes.push({ ...known, ...draft })
  }
  for (const [name, value] of after)
    if (!before.has(name))
      changes.push({
        effect: judge(value).added,
        rule: `${rule}.${name}`,
        message: `${how.noun} ${name} was added.`,
        ...placesOf({ before: undefined, after: value }),
        ...(how.owners && { owners: how.owners(value) }),
      })
  return changes
}

function placesOf({ before, after }: Sides<Named | undefined>): Pick<RuleChange, 'before' | 'after'> {
  return { ...(before?.place && { before: before.place }), ...(after?.place && { after: after.place }) }
}

/** Items of a list, as sentences: `says` gives one for an item that came or went. */
export function compareItems(
  rule: string,
  { before, after }: Sides<readonly string[]>,
  judged: Judged,
  says: (item: string, now: 'added' | 'removed') => string,
): readonly Draft[] {
  const gone = before.filter((item) => !after.includes(item))
  const come = after.filter((item) => !before.includes(item))
  return [
    ...gone.map((item): Draft => ({ effect: judged.removed, rule, message: says(item, 'removed') })),
    ...come.map((item): Draft => ({ effect: judged.added, rule, message: says(item, 'added') })),
  ]
}

/** A value that is another one, with what that means. `what` completes "… is B (was A)". */
export function compareValue<Value>(
  rule: string,
  { before, after }: Sides<Value>,
  effect: Effect | ((sides: Sides<Value>) => Effect),
  what: string,
): readonly Draft[] {
  if (canonical(before) === canonical(after)) return []
  const judged = typeof effect === 'function' ? effect({ before, after }) : effect
  return [{ effect: judged, rule, message: `${what} is ${shown(after)} (was ${shown(before)}).` }]
}

/** An optional thing such as a pattern: to have one is tighter than to have none, and another one is looser. */
export function compareDemand(
  rule: string,
  sides: Sides<unknown>,
  what: string,
  another: Effect = 'looser',
): readonly Draft[] {
  return compareValue(
    rule,
    sides,
    ({ before, after }) => (before === undefined ? 'tighter' : after === undefined ? 'looser' : another),
    what,
  )
}

/** Something that holds or does not, in a sentence for each. */
export function compareFlag(
  rule: string,
  { before, after }: Sides<boolean>,
  judged: Judged,
  says: { readonly holds: string; readonly ended: string },
): readonly Draft[] {
  if (before === after) return []
  return [
    after
      ? { effect: judged.added, rule, message: says.holds }
      : { effect: judged.removed, rule, message: says.ended },
  ]
}

/** A bound in seconds: longer, or none, is looser. */
export function compareLongest(
  rule: string,
  sides: Sides<number | undefined>,
  what: string,
): readonly Draft[] {
  return compareValue(
    rule,
    both(sides, (seconds) => (seconds === undefined ? undefined : formatDuration(seconds))),
    compareNumbers(sides, Number.POSITIVE_INFINITY),
    what,
  )
}

/** A bound from above: higher, or none, is looser. */
export function compareUpper(rule: string, sides: Sides<number | undefined>, what: string): readonly Draft[] {
  return compareValue(rule, sides, compareNumbers(sides, Number.POSITIVE_INFINITY), what)
}

/** A bound from below: lower, or none, is looser. */
export function compareLower(rule: string, sides: Sides<number | undefined>, what: string): readonly Draft[] {
  const upwards = compareNumbers(sides, Number.NEGATIVE_INFINITY)
  return compareValue(rule, sides, upwards === 'looser' ? 'tighter' : 'looser', what)
}

/** The effect where more is looser; `unbounded` is what no bound amounts to. */
function compareNumbers({ before, after }: Sides<number | undefined>, unbounded: number): Effect {
  return (after ?? unbounded) > (before ?? unbounded) ? 'looser' : 'tighter'
}

/** Whether one of a row of words stands further back: the row goes from the loosest to the tightest. */
export function byRank<Word>(row: readonly Word[]): (sides: Sides<Word>) => Effect {
  return ({ before, after }) => (row.indexOf(after) < row.indexOf(before) ? 'looser' : 'tighter')
}

/** Equal texts for values that are equal, whatever the order of their keys. */
export function canonical(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
  })
  return text ?? 'undefined'
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set'
  return typeof value === 'string' ? value : canonical(value)
}
