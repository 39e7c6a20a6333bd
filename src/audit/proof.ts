import { joinRoots, nodeHash } from './merkle.ts'

/** The perfect subtree over the leaves from `index * 2^level` on, `2^level` of them. */
export type Subtree = { readonly level: number; readonly index: number }

/** Reads the root of a perfect subtree of the tree that is proven. */
export type NodeReader = (subtree: Subtree) => Promise<Buffer>

/** The audit path of a leaf, from the leaf upwards (RFC 6962 §2.1.1). Throws `RangeError` unless 0 ≤ index < size. */
export async function proveInclusion(
  claim: { readonly index: number; readonly size: number },
  read: NodeReader,
): Promise<readonly Buffer[]> {
  const { index, size } = claim
  if (!isCount(index) || !isCount(size) || index >= size)
    throw new RangeError('That leaf is not in the tree.')
  const path: Range[] = []
  for (let begin = 0, end = size; end - begin > 1; ) {
    const middle = begin + leftSize(end - begin)
    if (index < middle) {
      path.push({ begin: middle, end })
      end = middle
    } else {
      path.push({ begin, end: middle })
      begin = middle
    }
  }
  return readRanges(path.reverse(), read)
}

/** That the tree of `to` leaves begins with the tree of `from` leaves (RFC 6962 §2.1.2). Throws `RangeError` unless 0 ≤ from ≤ to. */
export async function proveConsistency(
  claim: { readonly from: number; readonly to: number },
  read: NodeReader,
): Promise<readonly Buffer[]> {
  const { from, to } = claim
  if (!isCount(from) || !isCount(to) || from > to)
    throw new RangeError('The older tree is not within the newer.')
  if (from === 0 || from === to) return []
  const path: Range[] = []
  let begin = 0
  let end = to
  while (from < end) {
    const middle = begin + leftSize(end - begin)
    if (from <= middle) {
      path.push({ begin: middle, end })
      end = middle
    } else {
      path.push({ begin, end: middle })
      begin = middle
    }
  }
  // The verifier holds the old root itself, so it is left out when the old tree is one perfect subtree.
  if (begin > 0) path.push({ begin, end })
  return readRanges(path.reverse(), read)
}

/** Whether the proof shows that the leaf stands at `index` in the tree of that size and root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(claim: {
  readonly leafHash: Uint8Array
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}): boolean {
  if (!isCount(claim.index) || !isCount(claim.size) || claim.index >= claim.size) return false
  const climb = createClimb(claim.index, claim.size - 1)
  let node: Buffer = Buffer.from(claim.leafHash)
  for (const sibling of claim.proof) {
    const side = climb.side()
    if (side === 'none') return false
    node = side === 'left' ? nodeHash(sibling, node) : nodeHash(node, sibling)
    climb.up()
  }
  return climb.side() === 'none' && node.equals(claim.root)
}

/** Whether the proof shows that the newer tree begins with the older one (RFC 9162 §2.1.4.2). */
export function verifyConsistency(claim: {
  readonly from: number
  readonly fromRoot: Uint8Array
  readonly to: number
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}): boolean {
  const { from, to } = claim
  if (!isCount(from) || !isCount(to) || from > to) return false
  if (from === 0) return claim.proof.length === 0
  if (from === to) return claim.proof.length === 0 && Buffer.from(claim.fromRoot).equals(claim.toRoot)
  const path = isPowerOfTwo(from) ? [claim.fromRoot, ...claim.proof] : claim.proof
  const [start, ...rest] = path
  if (!start) return false
  const climb = createClimb(from - 1, to - 1)
  climb.skipRightEdges()
  let older: Buffer = Buffer.from(start)
  let newer = older
  for (const sibling of rest) {
    const side = climb.side()
    if (side === 'none') return false
    if (side === 'left') older = nodeHash(sibling, older)
    newer = side === 'left' ? nodeHash(sibling, newer) : nodeHash(newer, sibling)
    climb.up()
  }
  return climb.side() === 'none' && older.equals(claim.fromRoot) && newer.equals(claim.toRoot)
}

/** A node's way to the root: on which side its next sibling stands, in numbers beyond 32 bits. */
function createClimb(index: number, last: number) {
  let at = index
  let edge = last
  const halve = () => {
    at = Math.floor(at / 2)
    edge = Math.floor(edge / 2)
  }
  return {
    side: () => (edge === 0 ? 'none' : at % 2 === 1 || at === edge ? 'left' : 'right'),
    up() {
      // On the right edge of a tree that is not perfect, a node without a sibling moves up as it is.
      if (at === edge) while (at % 2 === 0 && at !== 0) halve()
      halve()
    },
    skipRightEdges() {
      while (at % 2 === 1) halve()
    },
  } as const
}

type Range = { readonly begin: number; readonly end: number }

async function readRanges(ranges: readonly Range[], read: NodeReader): Promise<readonly Buffer[]> {
  return Promise.all(ranges.map(async (range) => joinRoots(await Promise.all(cover(range).map(read)))))
}

/** The perfect subtrees of which a range consists, the larger ones first. `begin` is a multiple of the largest. */
export function cover(range: Range): readonly Subtree[] {
  const subtrees: Subtree[] = []
  for (let begin = range.begin; begin < range.end; ) {
    const level = floorLog2(range.end - begin)
    subtrees.push({ level, index: begin / 2 ** level })
    begin += 2 ** level
  }
  return subtrees
}

/** The largest power of two smaller than `size`, which is at least 2. */
function leftSize(size: number): number {
  return 2 ** floorLog2(size - 1)
}

function isPowerOfTwo(size: number): boolean {
  return 2 ** floorLog2(size) === size
}

// Math.log2 rounds up just below a large power of two.
function floorLog2(value: number): number {
  const log = Math.floor(Math.log2(value))
  return 2 ** log > value ? log - 1 : log
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
