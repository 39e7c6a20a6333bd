import { z } from 'zod'
import { name } from './text-shape.ts'

export const listItemsMax = 1000

/** A list with at least one item, and no text twice. */
export function list<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .min(1)
    .max(listItemsMax)
    .check((context) => {
      const seen = new Set<unknown>()
      for (const [index, item] of context.value.entries()) {
        if (typeof item === 'string' && seen.has(item))
          context.issues.push({
            code: 'custom',
            input: item,
            path: [index],
            message: 'one that the list does not have yet',
            params: { next: 'remove it' },
          })
        seen.add(item)
      }
    })
    .meta({ uniqueItems: true })
}

/** One text, or a list of them. */
export function oneOrMore<Item extends z.ZodType<string, string>>(item: Item) {
  return z.union([item, list(item)])
}

export function mapping<Value extends z.ZodType>(value: Value, key: z.ZodType<string, string> = name) {
  return z.record(key, value)
}

/** A mapping that has exactly one of its keys. */
export function oneOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject(shape)
    .refine((value) => Object.keys(value).length === 1, {
      error: `a mapping with exactly one of ${Object.keys(shape).join(', ')}`,
      params: { next: 'keep one key, and give each further one its own item in the list' },
    })
    .meta({ minProperties: 1, maxProperties: 1 })
}
