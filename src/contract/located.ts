import type { Place } from './contract.ts'

/** A value of the contract file together with where it stands; every check that wants to name a line walks these. */
export class Located {
  /** What an editor should show: the value of a scalar, the key of a mapping or list. */
  readonly place: Place
  /** The key, for an entry of a mapping; else the same as `place`. */
  readonly keyPlace: Place
  /** The plain value, frozen. Mappings are objects with own keys alone. */
  readonly value: unknown
  readonly #children: ReadonlyMap<string | number, Located>

  constructor(from: {
    place: Place
    keyPlace: Place
    value: unknown
    children?: ReadonlyMap<string | number, Located>
  }) {
    this.place = from.place
    this.keyPlace = from.keyPlace
    this.value = from.value
    this.#children = from.children ?? new Map()
  }

  at(...path: readonly PropertyKey[]): Located | undefined {
    const { found, rest } = this.#follow(path)
    return rest === 0 ? found : undefined
  }

  /** The value at the path, or its nearest parent that exists. */
  nearest(path: readonly PropertyKey[]): Located {
    return this.#follow(path).found
  }

  /** The value's place if its key is on the same line, else the key: a line that holds nothing but a value may be a secret. */
  get concealedPlace(): Place {
    return this.place.line === this.keyPlace.line ? this.place : this.keyPlace
  }

  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined
  }

  get items(): readonly Located[] {
    return Array.isArray(this.value) ? [...this.#children.values()] : []
  }

  /** The items of a list that are text. */
  get texts(): readonly string[] {
    return this.items.flatMap((item) => item.text ?? [])
  }

  get entries(): ReadonlyMap<string, Located> {
    const named = [...this.#children].flatMap(([key, child]): [string, Located][] =>
      typeof key === 'string' ? [[key, child]] : [],
    )
    return new Map(named)
  }

  #follow(path: readonly PropertyKey[]): { found: Located; rest: number } {
    let found: Located = this
    for (const [index, key] of path.entries()) {
      const child = typeof key === 'symbol' ? undefined : found.#children.get(key)
      if (!child) return { found, rest: path.length - index }
      found = child
    }
    return { found, rest: 0 }
  }
}
