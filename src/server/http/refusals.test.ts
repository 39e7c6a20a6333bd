import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import type { Broker } from '../../broker/index.ts'
import { createRefusalLog, type Refusal } from './refusals.ts'

type Recorded = {
  readonly code: string
  readonly repeated: number | undefined
  readonly address: string | undefined
}

/** A ledger that remembers, and can be made to fail. */
function started(limits = { entriesEach: 3, sourcesMax: 4, periodMs: 1_000 }) {
  const entries: Recorded[] = []
  let works = true
  const recordRefusal: Broker['recordRefusal'] = async ({ code }, { repeated, address }) => {
    if (!works) throw new Error('The disk is full.')
    entries.push({ code, repeated, address })
  }
  const log = createRefusalLog({ recordRefusal }, limits)
  const note = (change: Partial<Refusal> = {}) =>
    log.note({
      code: 'identity_missing',
      plane: 'machine',
      requestId: '0'.repeat(32),
      scope: 'listLeases',
      address: '192.0.2.1',
      ...change,
    })
  /** How many refusals the entries speak of. */
  const told = () => entries.reduce((sum, { repeated }) => sum + (repeated ?? 1), 0)
  return { entries, log, note, told, works: (now: boolean) => (works = now) }
}

test('the first of a kind are entries, and the others one number', async () => {
  const { entries, log, note, told } = started()
  for (let n = 0; n < 1_000; n += 1) await note()
  assert.equal(entries.length, 3)
  await log.flush()
  assert.deepEqual(entries.at(-1), { code: 'identity_missing', repeated: 997, address: '192.0.2.1' })
  assert.equal(told(), 1_000)
  await log.flush()
  assert.equal(entries.length, 4, 'what was told is not told again')
})

test('exactly as many as the bound need no number', async () => {
  const { entries, log, note } = started()
  for (let n = 0; n < 3; n += 1) await note()
  await log.flush()
  assert.deepEqual(
    entries.map(({ repeated }) => repeated),
    [undefined, undefined, undefined],
  )
})

test('another code, plane, address or caller is counted by itself', async () => {
  const { entries, note } = started({ entriesEach: 1, sourcesMax: 100, periodMs: 1_000 })
  const caller = {
    plane: 'machine',
    tenant: 'acme',
    agent: 'a',
    roles: [],
    method: 'token',
    subject: '',
  } as const
  for (const change of [
    {},
    { code: 'token_expired' },
    { plane: 'human' },
    { address: '192.0.2.2' },
    { caller },
    { caller: { ...caller, agent: 'b' } },
  ] as const)
    for (let n = 0; n < 5; n += 1) await note(change)
  assert.equal(entries.length, 6)
  for (const address of ['192.0.2.3', '192.0.2.4']) await note({ caller, address })
  assert.equal(entries.length, 6, 'a proven caller is one source wherever it comes from')
})

test('ten thousand addresses are no more entries than the bounds allow, and none is lost', async () => {
  const { entries, log, note, told } = started()
  for (let n = 0; n < 10_000; n += 1) await note({ address: `10.0.${n >> 8}.${n & 255}` })
  await log.flush()
  assert.ok(entries.length <= 4 + 3 + 1, `${entries.length} entries`)
  assert.equal(told(), 10_000)
})

test('the number is told at the end of the period without anybody asking', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const { entries, note } = started()
    for (let n = 0; n < 5; n += 1) await note()
    mock.timers.tick(999)
    await new Promise(setImmediate)
    assert.equal(entries.length, 3)
    mock.timers.tick(1)
    await new Promise(setImmediate)
    assert.equal(entries.at(-1)?.repeated, 2)
    await note()
    assert.equal(entries.at(-1)?.repeated, undefined, 'a new period begins with entries')
  } finally {
    mock.timers.reset()
  }
})

test('a number that could not be written is told later', async () => {
  const { entries, log, note, told, works } = started()
  for (let n = 0; n < 10; n += 1) await note()
  works(false)
  await log.flush()
  assert.equal(entries.length, 3)
  await note()
  works(true)
  await log.flush()
  assert.equal(told(), 11)
})

test('an entry that cannot be written is a failure for who waits for it, and is told later in a number', async () => {
  const { log, note, told, works } = started()
  works(false)
  await assert.rejects(note(), /disk is full/)
  works(true)
  await note()
  await log.flush()
  assert.equal(told(), 2)
})
