import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRedactor, redactedLengthMin } from './redaction.ts'

const secret = 'hunter2/+pass"word'

function redact(pieces: readonly string[], secrets: readonly string[] = [secret]): string {
  const redactor = createRedactor(secrets)
  return pieces.map((piece) => redactor.push(piece)).join('') + redactor.end()
}

test('a secret is taken out, wherever a piece ends', () => {
  const text = `one ${secret} two ${secret}${secret}`
  for (let cut = 0; cut <= text.length; cut += 1)
    assert.equal(redact([text.slice(0, cut), text.slice(cut)]), 'one [redacted] two [redacted][redacted]')
  assert.equal(redact([...text]), 'one [redacted] two [redacted][redacted]')
})

test('its other spellings are taken out too', () => {
  const bytes = Buffer.from(secret)
  const spellings = [
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    [...secret].reverse().join(''),
  ]
  for (const spelling of spellings) assert.equal(redact([`<${spelling}>`]), '<[redacted]>')
  for (const before of ['', 'a', 'ab', 'abc']) {
    const shown = redact([Buffer.from(`${before}${secret} and more`).toString('base64')])
    assert.match(shown, /\[redacted\]/)
    assert.doesNotMatch(Buffer.from(shown, 'base64').toString('latin1'), /unter|pass/)
  }
})

test('the beginning of a secret that goes on otherwise is passed on, at once where it can be', () => {
  const redactor = createRedactor([secret])
  assert.equal(redactor.push('prompt> '), 'prompt> ')
  assert.equal(redactor.push('hunt'), '')
  assert.equal(redactor.push('ing'), 'hunting')
  assert.equal(redactor.push('hunter2'), '')
  assert.equal(redactor.end(), 'hunter2')
})

test('what is too short is left, and what is just long enough is not', () => {
  assert.equal(redact(['x '.repeat(4)], ['x']), 'x '.repeat(4))
  const least = 'q'.repeat(redactedLengthMin)
  assert.equal(redact([least], [least]), '[redacted]')
})

test('without a secret in it any output passes unchanged, in any pieces', (t) => {
  const runs = 500
  const pieces = fc.array(fc.string({ unit: fc.constantFrom(...'hunter2/+pas"wod ') }))
  fc.assert(
    fc.property(pieces, (all) => {
      const text = all.join('')
      fc.pre(redact([text]) === text)
      assert.equal(redact(all), text)
    }),
    { numRuns: runs },
  )
  t.diagnostic(`${runs} outputs`)
})
