import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { z } from 'zod'
import { type Person, seedRequest, startRunning } from '../../../test/running.ts'
import {
  encodeEntry,
  leafHash,
  openCheckpoint,
  parseVerifier,
  verifyConsistency,
  verifyExport,
  verifyReceipt,
} from '../../audit/index.ts'
import { receipt } from '../../protocol/index.ts'

const running = await startRunning()
after(() => running.close())
const { machines, people } = running
const vkeys = [running.broker.assembled.log.vkey]
const agent = { machineKey: machines['agent-7'].machineKey }
const issued = z.looseObject({ lease_id: z.string(), receipt })

function issue(as: object = agent) {
  return running
    .machine({ method: 'POST', path: '/v1/credentials', body: seedRequest, as })
    .then(({ json }) => issued.parse(json))
}

async function checkpoint() {
  const { text } = await running.machine({ path: '/log/checkpoint' })
  const opened = openCheckpoint(text, vkeys.map(parseVerifier))
  if (opened.kind !== 'opened') assert.fail(`${opened.kind}: ${text}`)
  return { note: text, ...opened.checkpoint }
}

const first = await issue()
await issue({ machineKey: machines.robot.machineKey })

describe('the checkpoint', () => {
  test('is for everybody, signed by the log’s key, and grows with every entry', async () => {
    const [before, onHuman] = [await checkpoint(), await running.human({ path: '/log/checkpoint' })]
    assert.equal(onHuman.text, before.note)
    await issue()
    assert.ok((await checkpoint()).size > before.size)
  })
})

describe('a receipt', () => {
  test('verifies later: its entry is in the log of every newer checkpoint', async () => {
    await issue()
    const path = `/v1/log/proof/inclusion?index=${first.receipt.index}`
    const { json } = await running.machine({ path, as: agent })
    const proof = z
      .object({
        hashes: z.array(z.string()),
        checkpoint: z.string(),
        leaf_hash: z.string(),
        size: z.number(),
      })
      .parse(json)
    assert.equal(proof.leaf_hash, first.receipt.leaf_hash)
    const about = {
      entry: { leafHash: first.receipt.leaf_hash },
      index: first.receipt.index,
      proof: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: proof.checkpoint,
      vkeys,
    }
    assert.equal(verifyReceipt(about).kind, 'verified')
    assert.equal(verifyReceipt({ ...about, index: about.index + 1 }).kind, 'tampered')
  })

  test('is consistent with the log as it is now', async () => {
    const opened = openCheckpoint(first.receipt.checkpoint, vkeys.map(parseVerifier))
    if (opened.kind !== 'opened') assert.fail(opened.kind)
    const now = await checkpoint()
    const path = `/v1/log/proof/consistency?from=${opened.checkpoint.size}&to=${now.size}`
    const { json } = await running.machine({ path, as: agent })
    const { hashes } = z.object({ hashes: z.array(z.string()) }).parse(json)
    const claim = {
      from: opened.checkpoint.size,
      fromRoot: opened.checkpoint.root,
      to: now.size,
      toRoot: now.root,
      proof: hashes.map((hash) => Buffer.from(hash, 'hex')),
    }
    assert.ok(verifyConsistency(claim))
    assert.ok(!verifyConsistency({ ...claim, proof: claim.proof.slice(1) }))
  })

  test('a proof beyond the log is refused', async () => {
    // Far beyond: what is refused is an entry, too.
    const size = (await checkpoint()).size + 1000
    for (const query of [
      `inclusion?index=${size}`,
      `inclusion?index=0&size=${size}`,
      'inclusion?index=1&size=1',
    ])
      await refused(`/v1/log/proof/${query}`)
    for (const query of [`consistency?from=0&to=${size}`, 'consistency?from=2&to=1', 'consistency?from=1'])
      await refused(`/v1/log/proof/${query}`)
  })

  async function refused(path: string) {
    const { status, json } = await running.machine({ path, as: agent })
    assert.deepEqual([status, json['code']], [400, 'request_invalid'], path)
  }
})

describe('tiles', () => {
  test('of hashes are for all who are known, and hold the leaf hashes of the entries', async () => {
    const entries = await running.entries()
    const { status, headers } = await running.machine({ path: '/log/tile/0/000.p/2', as: agent })
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/octet-stream')
    assert.match(String(headers['cache-control']), /immutable/)
    const file = await running.broker.assembled.log.file('tile/0/000.p/2')
    const [zero] = entries
    assert.ok(file && zero)
    const { index, v: _, ...draft } = zero
    assert.deepEqual(Buffer.from(file.bytes).subarray(0, 32), leafHash(encodeEntry(draft, index)))
    assert.equal(Number(headers['content-length']), 64)
  })

  test('of entries are for the role platform alone, because they hold every tenant’s', async () => {
    const path = '/log/tile/entries/000.p/2'
    for (const person of ['dana', 'gwen'] as const) {
      const { status, json } = await running.human({ path, as: people[person] })
      assert.deepEqual([status, json['code']], [403, 'not_permitted'])
    }
    const { status, text } = await running.human({ path, as: people.paula })
    assert.equal(status, 200)
    assert.ok(text.includes('"event":"broker_started"'))
  })

  test('that do not exist are not found', async () => {
    for (const tile of ['', '0', '0/999', '0/000.p/0', '0/000.p/256', 'entries/000.p/255', '%2e%2e/x'])
      assert.equal(
        (await running.human({ path: `/log/tile/${tile}`, as: people.paula })).json['code'],
        'not_found',
        tile,
      )
  })
})

describe('entries', () => {
  const read = async (person: Person, query = '') => {
    const answer = await running.human({ path: `/v1/log/entries${query}`, as: people[person] })
    const shape = z.strictObject({
      entries: z.array(z.looseObject({ index: z.number(), tenant: z.string() })),
      next: z.number(),
      size: z.number(),
    })
    return shape.parse(answer.json)
  }

  test('are an auditor’s own tenant’s, and everybody’s for the role platform', async () => {
    const all = await read('paula', '?count=256')
    const tenants = (page: typeof all) => [...new Set(page.entries.map(({ tenant }) => tenant))].toSorted()
    assert.deepEqual(tenants(all), ['', 'acme', 'globex'])
    assert.deepEqual(tenants(await read('dana', '?count=256')), ['acme'])
    assert.deepEqual(tenants(await read('gwen', '?count=256')), ['globex'])
    assert.equal(all.entries.length, all.size)
  })

  test('are not for those without the role', async () => {
    const { status, json } = await running.machine({ path: '/v1/log/entries', as: agent })
    assert.deepEqual([status, json['code']], [403, 'not_permitted'])
  })

  test('come page by page, each once, also where a page holds none of the reader’s', async () => {
    const seen: number[] = []
    const { size } = await read('paula', '?count=0')
    for (let from = 0; from < size; ) {
      const page = await read('gwen', `?from=${from}&count=1`)
      assert.equal(page.next, from + 1)
      seen.push(...page.entries.map(({ index }) => index))
      from = page.next
    }
    const wanted = (await running.entries())
      .filter(({ tenant }) => tenant === 'globex')
      .map(({ index }) => index)
    assert.deepEqual(
      seen,
      wanted.filter((index) => index < size),
    )
    assert.ok(seen.length >= 2)
  })
})

describe('the export', () => {
  test('verifies offline with the pinned key, and no more when one byte is another', async () => {
    const { status, text, headers } = await running.human({ path: '/v1/log/export', as: people.paula })
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'application/jsonl')
    const verify = (bytes: string) => verifyExport(piecesOf(bytes), { vkeys })
    assert.equal((await verify(text)).kind, 'verified')
    assert.equal((await verify(text.replace('agent-7', 'agent-8'))).kind, 'tampered')
    assert.equal((await verify(text.slice(0, -200))).kind, 'truncated')
    const other = await verifyExport(piecesOf(text), { vkeys: ['x+00000000+AQ=='] }).catch(() => ({
      kind: 'refused',
    }))
    assert.notEqual(other.kind, 'verified')
  })

  test('is for the role platform alone', async () => {
    for (const person of ['dana', 'gwen'] as const)
      assert.equal(
        (await running.human({ path: '/v1/log/export', as: people[person] })).json['code'],
        'not_permitted',
      )
  })

  async function* piecesOf(text: string) {
    yield Buffer.from(text)
  }
})
