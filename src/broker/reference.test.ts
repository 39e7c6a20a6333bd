import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Environment, requireContract, requireEnvironment } from '../contract/index.ts'
import { openBroker } from './broker.fixture.ts'
import { type CredentialRequest, resolveReference } from './index.ts'

const orders = 'cred://acme/orders/readonly'
const payments = 'cred://acme/payments/readonly'

/** The rules of a shipped contract, with what references stand for. */
function environment(): Environment {
  const file = join(import.meta.dirname, '../../contracts/ficecal.yaml')
  const written = requireEnvironment(requireContract({ file, text: readFileSync(file, 'utf8') }))
  assert.ok(written.references)
  const table = (resource: string) => ({ service: 'orders-db', action: 'read-table', resource })
  const resolves = new Map([
    [orders, table('public.orders')],
    [payments, table('secret.payments')],
  ])
  return { ...written, references: { ...written.references, resolves } }
}

async function open() {
  const broker = await openBroker({ contract: { environment: environment() } })
  const by = (credentialRef: string, more: Partial<CredentialRequest> = {}) =>
    broker.ask({ request: { ...resolveReference(broker.contract, { credentialRef }), ...more } })
  return { ...broker, by }
}

test('a reference is issued what it stands for, and the entry says which one it was', async () => {
  const broker = await open()
  const { answer } = await broker.by(orders)
  assert.ok(answer.kind === 'issued')
  const { service, action, resource } = answer.lease
  assert.deepEqual([service, action, resource], ['orders-db', 'read-table', 'public.orders'])
  const entries = await broker.entries()
  const about = entries.filter(({ lease_id }) => lease_id === answer.lease.id)
  assert.ok(about.some(({ detail }) => detail?.['credential_ref'] === orders))
})

test('a reference never widens: what it stands for is decided as if it had been asked in words', async () => {
  const broker = await open()
  const { answer } = await broker.by(payments)
  const { answer: inWords } = await broker.ask({ request: { resource: 'secret.payments' } })
  assert.ok(answer.kind === 'denied' && inWords.kind === 'denied')
  assert.equal(answer.rule, inWords.rule)
  assert.notEqual(answer.rule, 'reference_unknown')
  const [entry] = (await broker.entries()).filter(({ event }) => event === 'request_denied')
  assert.equal(entry?.detail?.['credential_ref'], payments)
})

test('an unknown reference is denied as one, minted for nobody, and named in the entry', async () => {
  const broker = await open()
  const unknown = 'cred://acme/orders/readwrite'
  const { answer } = await broker.by(unknown)
  assert.ok(answer.kind === 'denied')
  assert.equal(answer.rule, 'reference_unknown')
  assert.match(answer.reason, /cred:\/\/acme\/orders\/readwrite/)
  const entry = (await broker.entries()).at(-1)
  assert.equal(entry?.event, 'request_denied')
  assert.equal(entry?.rule, 'reference_unknown')
  assert.equal(entry?.detail?.['credential_ref'], unknown)
})

test('a secret in the place of a reference is neither answered nor logged', async () => {
  const broker = await open()
  const secret = `cred://${randomBytes(24).toString('base64url')}A`
  const { answer } = await broker.by(secret)
  assert.ok(answer.kind === 'denied' && answer.rule === 'reference_unknown')
  assert.ok(!JSON.stringify([answer, await broker.entries()]).includes(secret))
})

test('a reference with words that it does not stand for is denied', async () => {
  const broker = await open()
  const { answer } = await broker.by(orders, { resource: 'public.customers' })
  assert.ok(answer.kind === 'denied' && answer.rule === 'reference_unknown')
})

test('a contract without references resolves none', async () => {
  const broker = await openBroker()
  const request = resolveReference(broker.contract, { credentialRef: orders })
  const { answer } = await broker.ask({ request })
  assert.ok(answer.kind === 'denied' && answer.rule === 'reference_unknown')
})

test('explaining a reference says what asking would', async () => {
  const broker = await open()
  const caller = {
    plane: 'machine',
    tenant: 'acme',
    agent: 'agent-7',
    roles: [],
    method: 'certificate',
    subject: 'a',
  } as const
  for (const [credentialRef, kind] of [
    [orders, 'allowed'],
    ['cred://acme/none', 'denied'],
  ] as const) {
    const request = resolveReference(broker.contract, { credentialRef })
    const signal = new AbortController().signal
    const decision = await broker.broker.explain({ caller, requestId: 'a'.repeat(32), request }, signal)
    assert.equal(decision.kind, kind)
    const entry = (await broker.entries()).at(-1)
    assert.equal(entry?.detail?.['credential_ref'], credentialRef)
  }
})

test('the same key for a reference and for its words is a conflict', async () => {
  const broker = await open()
  const idempotencyKey = 'key-1'
  const request = resolveReference(broker.contract, { credentialRef: orders })
  await broker.ask({ request, idempotencyKey })
  assert.equal((await broker.ask({ request, idempotencyKey })).replayed, true)
  await assert.rejects(broker.ask({ idempotencyKey }), { code: 'idempotency_conflict' })
})
