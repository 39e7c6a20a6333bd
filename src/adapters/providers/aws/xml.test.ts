import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../../../primitives/index.ts'
import { findText, parseXml, textAt, type XmlElement } from './xml.ts'

const isUnreadable = (thrown: unknown) =>
  thrown instanceof Failure && thrown.code === 'provider_answer_invalid'

test('the fields of an answer are found by their path, with entities resolved', () => {
  const root = parseXml(
    '<?xml version="1.0"?>\n<A xmlns="urn:x"><B><C>1 &lt; 2 &amp;&#32;&#x41;</C></B><Empty/></A>\n',
  )
  assert.equal(textAt(root, ['B', 'C']), '1 < 2 & A')
  assert.equal(findText(root, ['Empty']), '')
  assert.equal(findText(root, ['B']), undefined, 'what has children has no text of its own')
})

test('a field that stands there twice, or not at all, is no field', () => {
  const root = parseXml('<A><B>1</B><B>2</B></A>')
  assert.throws(() => textAt(root, ['B']), isUnreadable)
  assert.throws(() => textAt(root, ['C']), isUnreadable)
})

const unreadable = {
  nothing: '',
  words: 'Service Unavailable',
  'an unclosed element': '<A><B>1</B>',
  'elements that cross': '<A><B></A></B>',
  'two roots': '<A/><A/>',
  'text beside the root': '<A/>x',
  'a document type': '<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>',
  'a comment': '<A><!-- --></A>',
  'an unknown entity': '<A>&nbsp;</A>',
  'a bare ampersand': '<A>a & b</A>',
  'a character that is none': '<A>&#0;</A>',
  'half of a surrogate pair': '<A>&#xd800;</A>',
  'an attribute without quotes': '<A b=c/>',
  'too many levels': `${'<A>'.repeat(17)}${'</A>'.repeat(17)}`,
}
for (const [what, source] of Object.entries(unreadable))
  test(`${what} cannot be read`, () => {
    assert.throws(() => parseXml(source), isUnreadable)
  })

test('sixteen levels can be read', () => {
  assert.ok(parseXml(`${'<A>'.repeat(16)}${'</A>'.repeat(16)}`))
})

test('what was written is what is read, and rubbish is refused and nothing else', (context) => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/)
  const plainly = { noNullPrototype: true }
  const leaf = fc.record({ name, text: fc.string(), children: fc.constant([]) }, plainly)
  const element = fc.record(
    { name, text: fc.constant(''), children: fc.array(leaf, { maxLength: 4 }) },
    plainly,
  )
  let cases = 0
  fc.assert(
    fc.property(element, (one) => {
      cases += 1
      assert.deepEqual(plain(parseXml(render(one))), one)
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(element, fc.nat(), fc.string({ maxLength: 3 }), (one, at, noise) => {
      cases += 1
      const source = render(one)
      const place = at % (source.length + 1)
      try {
        parseXml(source.slice(0, place) + noise + source.slice(place + 1))
      } catch (thrown) {
        assert.ok(isUnreadable(thrown))
      }
    }),
    { numRuns: 1500 },
  )
  context.diagnostic(`${cases} cases`)
})

function render({ name, text, children }: XmlElement): string {
  return `<${name}>${text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)}${children.map(render).join('')}</${name}>`
}

function plain({ name, text, children }: XmlElement): XmlElement {
  return { name, text, children: children.map(plain) }
}
