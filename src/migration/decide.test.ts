import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { requireContract, requireEnvironment } from '../contract/index.ts'
import { createHold, decideMigration, judgeDatabase, planeVariables, requireMigrations } from './index.ts'

const file = join(import.meta.dirname, '../../contracts/agenticverz.yaml')
const contract = requireContract({ text: readFileSync(file, 'utf8'), file })
const environment = requireEnvironment(contract)
const rules = requireMigrations(environment)
const bootstrap = rules.bootstrap
assert.ok(bootstrap)

const confirmed = { CONFIRM_PROD_MIGRATIONS: 'true' }
const cases: readonly (readonly [mode: string, variables: Record<string, string>, expected: string])[] = [
  ['LOCAL', { DB_ROLE: 'staging' }, 'allowed'],
  ['TEST', { DB_ROLE: 'staging' }, 'allowed'],
  ['PREPROD', { DB_ROLE: 'staging' }, 'allowed'],
  ['PROD', { DB_ROLE: 'prod', ...confirmed }, 'allowed'],
  ['PROD', { DB_ROLE: 'prod' }, 'unconfirmed'],
  ['PROD', { DB_ROLE: 'prod', CONFIRM_PROD_MIGRATIONS: 'TRUE' }, 'unconfirmed'],
  ['PROD', { DB_ROLE: 'replica', ...confirmed }, 'role_denied'],
  ['LOCAL', { DB_ROLE: 'replica' }, 'role_denied'],
  ['PROD', { DB_ROLE: 'staging' }, 'role_of_other_mode'],
  ['TEST', { DB_ROLE: 'prod', ...confirmed }, 'role_of_other_mode'],
  ['ELSE', { DB_ROLE: 'staging' }, 'role_of_other_mode'],
  ['LOCAL', {}, 'role_missing'],
  ['LOCAL', { DB_ROLE: '' }, 'role_missing'],
  ['LOCAL', { DB_ROLE: 'Staging' }, 'role_unknown'],
]

for (const [mode, variables, expected] of cases)
  test(`in ${mode} with ${JSON.stringify(variables)}: ${expected}`, () => {
    const decision = decideMigration(rules, mode, variables)
    assert.equal(decision.kind === 'refused' ? decision.rule : decision.kind, expected)
  })

test('what informs never decides', (context) => {
  const runs = 500
  const value = fc.option(fc.string(), { nil: undefined })
  fc.assert(
    fc.property(fc.constantFrom(...cases), value, value, ([mode, variables], one, two) => {
      const kind = (authority: string | undefined) => {
        const decision = decideMigration(rules, mode, { ...variables, DB_AUTHORITY: authority })
        return decision.kind === 'refused' ? decision.rule : decision.kind
      }
      assert.equal(kind(one), kind(two))
    }),
    { numRuns: runs },
  )
  context.diagnostic(`${runs} cases`)
})

test('of all variables a migration sees the five of the database plane', () => {
  const names = [...planeVariables(contract, environment, 'migrate')].sort()
  const expected = ['AOS_MODE', 'CONFIRM_PROD_MIGRATIONS', 'DATABASE_URL', 'DB_AUTHORITY', 'DB_ROLE']
  assert.deepEqual(names, expected)
})

const fresh = { missingTables: [], readOnly: false, leftoverSessions: 0 }
const stamp = { role: 'prod', stampedAt: '2026-01-18' }
const all = bootstrap.tables
const judged: readonly (readonly [what: string, seen: Parameters<typeof judgeDatabase>[2], kind: string])[] =
  [
    ['nothing in its way', fresh, 'free'],
    ['its own stamp', { ...fresh, stamp }, 'free'],
    ['another stamp', { ...fresh, stamp: { ...stamp, role: 'staging' } }, 'refused'],
    [
      'another stamp, and a migration that runs',
      { ...fresh, stamp: { ...stamp, role: 'x' }, leftoverSessions: 1 },
      'refused',
    ],
    ['no tables', { ...fresh, missingTables: all }, 'refused'],
    ['one table of two', { ...fresh, missingTables: all.slice(1) }, 'refused'],
    ['no writes', { ...fresh, readOnly: true }, 'refused'],
    ['a lease', { ...fresh, stamp, lease: { holder: 'h', secondsLeft: 0.01 } }, 'busy'],
    ['a lease that is over', { ...fresh, stamp, lease: { holder: 'h', secondsLeft: 0 } }, 'free'],
    ['a lease that is over, and its session', { ...fresh, stamp, leftoverSessions: 1 }, 'busy'],
  ]

for (const [what, seen, kind] of judged)
  test(`a database of prod with ${what} is ${kind} for a migration of prod`, () =>
    assert.equal(judgeDatabase(rules, 'prod', seen).kind, kind))

test('the empty database is told where the bootstrap is written', () => {
  const judgement = judgeDatabase(rules, 'prod', { ...fresh, missingTables: all })
  assert.match(judgement.kind === 'free' ? '' : judgement.next, /create_all\(\).*PIN-542.*DB_AUTHORITY\.md/)
})

test('a hold is over at the end of its lease, by the time before the last renewal was asked', async () => {
  let now = 0
  const signal = new AbortController().signal
  const answers = ['held', 'gone', 'held'] as const
  let asked = 0
  const hold = createHold({
    fence: 1,
    leaseSeconds: 20,
    claimedAt: 0,
    now: () => now,
    database: {
      renew() {
        const answer = answers[asked++]
        now += 2000
        return answer === 'gone' ? Promise.reject(new Error('away')) : Promise.resolve('held')
      },
    },
  })
  now = 4000
  assert.equal(await hold.renew(signal), 'held')
  assert.equal(await hold.renew(signal), 'held', 'one that does not answer is no loss yet')
  now = 23_999
  assert.equal(hold.holds(), true)
  now = 24_000
  assert.equal(hold.holds(), false)
  assert.equal(await hold.renew(signal), 'lost', 'what is over stays over')
  assert.equal(asked, 2)
})
