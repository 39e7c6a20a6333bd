import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Failure } from '../src/primitives/index.ts'
import { makeSite, type Site } from '../test/end-to-end/site.ts'
import { checkAftermath } from './aftermath.ts'
import { apiContract } from './contract.ts'
import { inThisProcess, nobodyTold, requestId } from './in-process.ts'

// A fault that loses nothing proves nothing unless the check would have seen a loss.
describe('the check after a fault', { timeout: 60_000 }, () => {
  let site: Site
  let world: Awaited<ReturnType<typeof inThisProcess>>
  before(async () => {
    site = await makeSite(apiContract('fake'))
    world = await inThisProcess(site, (inner) => inner)
  })
  after(async () => {
    await world?.assembled.close()
    await site?.close()
  })
  const issueTwo = async () => {
    const acknowledged = nobodyTold()
    for (let nth = 0; nth < 2; nth += 1) assert.equal(await world.issue(acknowledged), 'issued')
    return acknowledged
  }
  const found = async (acknowledged = nobodyTold(), standing = world.standing) =>
    (await checkAftermath(world.assembled, acknowledged, standing)).join('\n')

  test('finds nothing when nothing was lost', async () => {
    assert.equal(await found(await issueTwo()), '')
  })

  test('finds a credential that no live lease explains', async () => {
    const { works } = await world.standing()
    const stray = { works: new Set([...works, 'lse_stray']), bounded: new Set<string>() }
    const words = await found(nobodyTold(), async () => stray)
    assert.match(words, /lse_stray lives without a live lease/)
    assert.match(words, /lse_stray lives without an entry/)
  })

  test('excuses one that lives until its date, but not without an entry', async () => {
    const { works } = await world.standing()
    const stray = { works: new Set([...works, 'lse_stray']), bounded: new Set(['lse_stray']) }
    assert.equal(
      await found(nobodyTold(), async () => stray),
      'the credential lse_stray lives without an entry',
    )
  })

  test('finds a live lease whose credential is gone', async () => {
    const { issued } = await issueTwo()
    const [first] = issued
    const { works, bounded } = await world.standing()
    const rest = { works: new Set([...works].filter((id) => id !== first?.leaseId)), bounded }
    assert.match(await found(nobodyTold(), async () => rest), /has no credential any more/)
  })

  test('finds a lease, and an entry, that were acknowledged and are not there', async () => {
    const acknowledged = await issueTwo()
    const [first, second] = acknowledged.issued
    assert.ok(first && second)
    acknowledged.issued.push({ ...first, leaseId: 'lse_lost' })
    acknowledged.issued.push({ ...first, receipt: { ...first.receipt, index: second.receipt.index } })
    const words = await found(acknowledged)
    assert.match(words, /the lease lse_lost is not there/)
    assert.match(words, new RegExp(`the entry of ${first.leaseId} is not at ${second.receipt.index}`))
  })

  test('finds a log that is not the one of a checkpoint which somebody was given', async () => {
    const other = await makeSite(apiContract('fake'))
    const elsewhere = await inThisProcess(other, (inner) => inner)
    try {
      const acknowledged = nobodyTold()
      await elsewhere.issue(acknowledged)
      assert.match(await found(acknowledged), /the log is unverifiable|the log is tampered/)
    } finally {
      await elsewhere.assembled.close()
      await other.close()
    }
  })

  test('finds an orphan that is not ended, and not any more after one turn of the reconciler', async () => {
    const lost = new Failure('provider_timeout', 'The answer was lost.')
    const failure = { kind: 'drop', failure: lost } as const
    const still = { kind: 'fail', failure: lost } as const
    world.provider.enqueue({ mint: [failure, failure, failure, failure], revoke: [still] })
    assert.equal(await world.issue(nobodyTold()), 'credential_minting_failure')
    assert.match(await found(), /is still ending|lives without a live lease/)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await world.assembled.broker.reconcile({ requestId, sweep: true })
    assert.equal(await found(), '')
  })
})
