import { sha256 } from '../primitives/index.ts'

/** Bytes of a SHA-256. */
export const hashBytes = 32

/** RFC 6962 §2.1: SHA-256 of 0x00 and the entry's bytes. */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(Buffer.concat([leafPrefix, entry]))
}

/** RFC 6962 §2.1: SHA-256 of 0x01 and both children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([nodePrefix, left, right]))
}

/** What growing a tree needs of it: its size and the roots of its perfect subtrees, the largest first. */
export type Frontier = { readonly size: number; readonly roots: readonly Buffer[] }

export const emptyFrontier: Frontier = { size: 0, roots: [] }

/** The frontier with one more leaf. `visit` is told of every perfect subtree that it completes, the leaf itself at level 0 first. */
export function appendLeaf(
  frontier: Frontier,
  leaf: Buffer,
  visit?: (level: number, root: Buffer) => void,
): Frontier {
  const roots = frontier.roots.slice()
  let node = leaf
  visit?.(0, node)
  for (let rest = frontier.size, level = 1; rest % 2 === 1; rest = (rest - 1) / 2, level += 1) {
    node = nodeHash(roots.pop() ?? missing(), node)
    visit?.(level, node)
  }
  roots.push(node)
  return { size: frontier.size + 1, roots }
}

/** The Merkle tree hash (RFC 6962 §2.1) of everything appended. */
export function frontierRoot(frontier: Frontier): Buffer {
  return frontier.roots.length === 0 ? sha256('') : joinRoots(frontier.roots)
}

/** The root over neighbouring perfect subtrees, the larger ones first; at least one. */
export function joinRoots(roots: readonly Buffer[]): Buffer {
  return roots.reduceRight((right, left) => nodeHash(left, right))
}

/** The root of a perfect subtree from its nodes of one level, one after the other; their number is a power of two. */
export function perfectRoot(nodes: Uint8Array): Buffer {
  let level = Buffer.from(nodes)
  while (level.length > hashBytes) {
    const above = Buffer.alloc(level.length / 2)
    for (let at = 0; at < above.length; at += hashBytes) {
      const pair = level.subarray(2 * at, 2 * (at + hashBytes))
      sha256(Buffer.concat([nodePrefix, pair])).copy(above, at)
    }
    level = above
  }
  return level
}

const leafPrefix = Buffer.of(0)
const nodePrefix = Buffer.of(1)

function missing(): never {
  throw new RangeError('The frontier has fewer roots than its size says.')
}
