import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unmappedAddress } from './index.ts'

test('an address of IPv4 in one of IPv6 is itself, in either spelling, and nothing else is changed', () => {
  const same = ['127.0.0.1', '::1', '::ffff:1', '::ffff:0:127.0.0.1', 'fe80::ffff:7f00:1', 'ffff', '']
  const given = ['::ffff:127.0.0.1', '::FFFF:7F00:1', '::ffff:ffff:ff', '::ffff:0:0', ...same]
  assert.deepEqual(given.map(unmappedAddress), [
    '127.0.0.1',
    '127.0.0.1',
    '255.255.0.255',
    '0.0.0.0',
    ...same,
  ])
})
