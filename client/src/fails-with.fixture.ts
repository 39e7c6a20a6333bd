import assert from 'node:assert/strict'
import { SallyportError } from './index.ts'

/** For `assert.rejects`: an error of the client with this code, and with these of its fields. */
export function failsWith(code: string, more: Partial<SallyportError> = {}) {
  return (thrown: unknown) => {
    if (!(thrown instanceof SallyportError)) assert.fail(String(thrown))
    assert.deepEqual(
      { code: thrown.code, ...pick(thrown, Object.keys(more)) },
      { code, ...more },
      thrown.message,
    )
    return true
  }
}

function pick(from: object, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(from, name)]))
}
