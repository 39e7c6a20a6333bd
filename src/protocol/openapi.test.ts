import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { buildOpenapi } from '../../tools/openapi.ts'
import { formatDuration } from '../primitives/index.ts'
import { credentialRequest, duration, openapi, operations, protocolLimits } from './index.ts'

const description = openapi('1.2.3')

describe('the description', () => {
  test('is the committed one', () => buildOpenapi({ check: true }))

  test('has every operation once, under its path and method', () => {
    const ids: string[] = []
    JSON.stringify(description, (key, value: unknown) => {
      if (key === 'operationId') ids.push(String(value))
      return value
    })
    assert.deepEqual(ids.toSorted(), operations.map(({ id }) => id).toSorted())
    assert.equal(new Set(ids).size, ids.length)
  })

  test('leads every reference to something, and declares every part of a path', () => {
    const text = JSON.stringify(description)
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      assert.ok(text.includes(`"${name}":{`), name)
    for (const { id, path, parameters } of operations)
      for (const [, name = ''] of path.matchAll(/\{([a-z_]+)\}/g))
        assert.ok(parameters && name in parameters.shape, `${id}: ${name}`)
  })

  test('depends on the operations and the version alone', () => {
    assert.deepEqual(openapi('1.2.3'), description)
    assert.notDeepEqual(openapi('1.2.4'), description)
  })
})

describe('a duration', () => {
  test('is the same number of seconds in words and in figures', () => {
    let cases = 0
    fc.assert(
      fc.property(fc.integer({ min: 1, max: protocolLimits.durationSecondsMax }), (seconds) => {
        cases += 1
        assert.equal(duration.parse(seconds), seconds)
        assert.equal(duration.parse(formatDuration(seconds)), seconds)
      }),
      { numRuns: 1_000 },
    )
    console.log(`${cases} durations`)
  })

  test('that is anything else is refused', () => {
    let cases = 0
    fc.assert(
      fc.property(fc.anything(), (value) => {
        cases += 1
        const result = duration.safeParse(value)
        if (!result.success) return
        assert.ok(Number.isInteger(result.data) && (result.data ?? 0) >= 1)
        assert.ok(typeof value === 'number' || /^[1-9][0-9]*[smhd]?$/.test(String(value)))
      }),
      { numRuns: 1_000 },
    )
    console.log(`${cases} values`)
  })
})

test('a request holds what it names and nothing else, whatever else is sent', () => {
  let cases = 0
  const asked = { service: 's', action: 'a', resource: 'r' }
  fc.assert(
    fc.property(fc.string(), fc.anything(), (name, value) => {
      cases += 1
      const known = ['service', 'action', 'resource', 'duration', 'purpose'].includes(name)
      const result = credentialRequest.safeParse(
        Object.fromEntries([...Object.entries(asked), [name, value]]),
      )
      if (!known) assert.equal(result.success, false)
      else if (result.success)
        assert.ok(Object.keys(result.data).every((key) => key in asked || key === name))
    }),
    { numRuns: 1_000 },
  )
  console.log(`${cases} requests`)
})
