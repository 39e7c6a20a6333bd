import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenAt, refuseOpenBind } from './listen-at.ts'

test('a host and a port are read, an address of IPv6 in brackets however it is written', () => {
  for (const [text, host, port] of [
    ['127.0.0.1:7420', '127.0.0.1', 7420],
    ['broker.example.test:0', 'broker.example.test', 0],
    ['[::1]:65535', '::1', 65_535],
    ['[FD00::5]:1', 'FD00::5', 1],
    ['[::ffff:10.0.0.1]:7420', '::ffff:10.0.0.1', 7420],
  ] as const)
    assert.deepEqual(listenAt(text), { host, port })
  for (const text of [
    '',
    '7420',
    ':7420',
    '::1:7420',
    '[::1]',
    '[::1]7420',
    'a:b:1',
    'a:65536',
    'a:-1',
    '[x]:1',
    'a:',
  ])
    assert.throws(() => listenAt(text), { code: 'option_invalid' }, text)
})

test('without TLS it is loopback alone, and an address of IPv4 as one of IPv6 is not taken for it', () => {
  for (const host of ['127.0.0.1', '::1', 'localhost']) refuseOpenBind(host)
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '127.0.0.2',
    '::ffff:10.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '',
  ])
    assert.throws(() => refuseOpenBind(host), { code: 'option_invalid' }, host)
})
