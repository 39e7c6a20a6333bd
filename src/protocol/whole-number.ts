import { z } from 'zod'

/** A number in a query, which is a text there: digits alone, where JavaScript would take an empty text for 0 and `0x10` for 16. */
export function wholeNumber<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(
    (value) => (typeof value === 'string' && !/^[0-9]{1,15}$/.test(value) ? Number.NaN : value),
    schema,
  )
}
