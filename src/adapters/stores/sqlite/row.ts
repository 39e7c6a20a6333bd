import type { SQLOutputValue } from 'node:sqlite'
import { Failure } from '../../../primitives/index.ts'

export type Row = Record<string, SQLOutputValue>

/** Reads the columns of one row; throws `store_invalid` for a value of another type. */
export function readRow(row: Row) {
  const optionalText = (column: string) => optional(row, column, isText)
  const optionalInteger = (column: string) => optional(row, column, isInteger)
  return {
    optionalText,
    optionalInteger,
    text: (column: string) => optionalText(column) ?? damaged(column),
    integer: (column: string) => optionalInteger(column) ?? damaged(column),
    bytes: (column: string) => optional(row, column, isBytes) ?? damaged(column),
  }
}

function optional<Value>(
  row: Row,
  column: string,
  is: (value: unknown) => value is Value,
): Value | undefined {
  const value = row[column] ?? undefined
  return value === undefined || is(value) ? value : damaged(column)
}

const isText = (value: unknown) => typeof value === 'string'
const isInteger = (value: unknown) => typeof value === 'number'
const isBytes = (value: unknown) => value instanceof Uint8Array

function damaged(column: string): never {
  throw new Failure('store_invalid', 'The store is damaged.', {
    internal: `column ${column}`,
    next: 'restore it from a backup',
  })
}
