import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../primitives/index.ts'
import { appendLeaf, emptyFrontier, frontierRoot, leafHash, nodeHash, perfectRoot } from './merkle.ts'
import {
  type NodeReader,
  proveConsistency,
  proveInclusion,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts'

// The vectors of certificate-transparency and transparency-dev/merkle: eight leaves, the roots over the first 1 to 8 of them.
const vectorLeaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((leaf) => leafHash(Buffer.from(leaf, 'hex')))
const vectorRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const vectorInclusions: readonly [index: number, size: number, proof: readonly string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
]
const vectorConsistencies: readonly [from: number, to: number, proof: readonly string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
]

/** RFC 6962 §2.1, word for word: the definition that everything else is held against. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  const [first, second] = leaves
  if (!first) return sha256('')
  if (!second) return first
  let left = 1
  while (left * 2 < leaves.length) left *= 2
  return nodeHash(naiveRoot(leaves.slice(0, left)), naiveRoot(leaves.slice(left)))
}

function readerOf(leaves: readonly Buffer[]): NodeReader {
  return async ({ level, index }) => {
    const nodes = leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)
    assert.equal(nodes.length, 2 ** level, 'a proof reads complete subtrees alone')
    return perfectRoot(Buffer.concat(nodes))
  }
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  return frontierRoot(leaves.reduce((frontier, leaf) => appendLeaf(frontier, leaf), emptyFrontier))
}

const hex = (hashes: readonly Uint8Array[]) => hashes.map((one) => Buffer.from(one).toString('hex'))

describe('the Merkle tree', () => {
  test('of no leaf is the hash of nothing', () => {
    assert.equal(
      frontierRoot(emptyFrontier).toString('hex'),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
  })

  test('has the published roots', () => {
    for (const [at, root] of vectorRoots.entries()) {
      assert.equal(rootOf(vectorLeaves.slice(0, at + 1)).toString('hex'), root)
    }
  })

  test('has the published inclusion proofs', async () => {
    for (const [index, size, proof] of vectorInclusions) {
      assert.deepEqual(
        hex(await proveInclusion({ index, size }, readerOf(vectorLeaves.slice(0, size)))),
        proof,
      )
    }
  })

  test('has the published consistency proofs', async () => {
    for (const [from, to, proof] of vectorConsistencies) {
      assert.deepEqual(hex(await proveConsistency({ from, to }, readerOf(vectorLeaves.slice(0, to)))), proof)
    }
  })

  test('grows to the root of the recursive definition, and proves every leaf and every earlier tree', async (context) => {
    const leaves = Array.from({ length: 45 }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)))
    let proofs = 0
    for (let size = 1; size <= leaves.length; size += 1) {
      const tree = leaves.slice(0, size)
      const root = naiveRoot(tree)
      assert.deepEqual(rootOf(tree), root)
      for (let at = 0; at < size; at += 1) {
        const leaf = tree[at] ?? Buffer.of()
        const inclusion = await proveInclusion({ index: at, size }, readerOf(tree))
        assert.ok(verifyInclusion({ leafHash: leaf, index: at, size, root, proof: inclusion }))
        const older = { from: at, fromRoot: naiveRoot(tree.slice(0, at)), to: size, toRoot: root }
        const consistency = await proveConsistency({ from: at, to: size }, readerOf(tree))
        assert.ok(verifyConsistency({ ...older, proof: consistency }))
        proofs += 2
      }
    }
    context.diagnostic(`${proofs} proofs, all pairs up to ${leaves.length} leaves`)
  })

  test('accepts no proof in which anything was changed', async (context) => {
    const leaves = Array.from({ length: 300 }, (_, at) => leafHash(Buffer.from(`leaf ${at}`)))
    let cases = 0
    const numbers = fc.record({
      size: fc.integer({ min: 2, max: 300 }),
      pick: fc.nat(),
      bit: fc.nat(255),
      kind: fc.nat(4),
    })
    await fc.assert(
      fc.asyncProperty(numbers, async ({ size, pick, bit, kind }) => {
        cases += 1
        const tree = leaves.slice(0, size)
        const index = pick % size
        const root = naiveRoot(tree)
        const leaf = tree[index] ?? Buffer.of()
        const from = 1 + (pick % (size - 1))
        const fromRoot = naiveRoot(tree.slice(0, from))
        const path = await proveInclusion({ index, size }, readerOf(tree))
        const growth = await proveConsistency({ from, to: size }, readerOf(tree))
        const claim = { leafHash: leaf, index, size, root, proof: damage(path, { kind, bit }) }
        assert.equal(verifyInclusion(claim), false)
        assert.equal(
          verifyConsistency({ from, fromRoot, to: size, toRoot: root, proof: damage(growth, { kind, bit }) }),
          false,
        )
        assert.equal(verifyInclusion({ ...claim, proof: path, leafHash: flip(leaf, bit) }), false)
        assert.equal(verifyInclusion({ ...claim, proof: path, index: (index + 1) % size }), false)
        assert.equal(
          verifyConsistency({ from, fromRoot: flip(fromRoot, bit), to: size, toRoot: root, proof: growth }),
          false,
        )
        assert.equal(
          verifyConsistency({ from, fromRoot, to: size, toRoot: flip(root, bit), proof: growth }),
          false,
        )
      }),
      { numRuns: 150 },
    )
    context.diagnostic(`${cases} trees, six changed proofs each`)
  })

  test('has no proof for what is outside of it, and no verdict but false for numbers that are none', async () => {
    const read = readerOf(vectorLeaves)
    await assert.rejects(proveInclusion({ index: 8, size: 8 }, read), RangeError)
    await assert.rejects(proveInclusion({ index: -1, size: 8 }, read), RangeError)
    await assert.rejects(proveConsistency({ from: 9, to: 8 }, read), RangeError)
    const [leaf = Buffer.of()] = vectorLeaves
    for (const index of [-1, 1, 0.5, Number.NaN, 2 ** 60]) {
      assert.equal(verifyInclusion({ leafHash: leaf, index, size: 1, root: leaf, proof: [] }), false)
    }
    const root = rootOf(vectorLeaves)
    for (const from of [-1, 9, 1.5, Number.NaN]) {
      assert.equal(verifyConsistency({ from, fromRoot: root, to: 8, toRoot: root, proof: [] }), false)
    }
    const huge = 2 ** 53 - 1
    assert.equal(verifyInclusion({ leafHash: leaf, index: huge - 1, size: huge, root, proof: [leaf] }), false)
    assert.equal(
      verifyConsistency({ from: huge - 1, fromRoot: root, to: huge, toRoot: root, proof: [leaf] }),
      false,
    )
  })
})

function flip(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  const at = bit >> 3
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
  return copy
}

/** A proof with a bit flipped, one hash more at either end, one less, or two exchanged. */
function damage(proof: readonly Buffer[], how: { kind: number; bit: number }): readonly Buffer[] {
  const extra = Buffer.alloc(32, how.bit)
  const [first, second, ...rest] = proof
  if (!first || how.kind === 0) return [...proof, extra]
  if (how.kind === 1) return [extra, ...proof]
  if (how.kind === 2) return proof.slice(1)
  if (how.kind === 3 && second && !first.equals(second)) return [second, first, ...rest]
  return [flip(first, how.bit), ...proof.slice(1)]
}
