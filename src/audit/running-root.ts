import { sha256, sha256Latin1 } from '../primitives/index.ts'
import { hashBytes } from './merkle.ts'

/** The Merkle tree (RFC 6962 §2.1) of what is read through once: no more of it is kept than the roots of its perfect subtrees. */
export type RunningRoot = {
  /** Leaves so far. */
  size(): number
  /** Takes the next leaf as what is hashed of it: a zero byte and the entry's bytes. */
  add(leaf: Uint8Array): void
  root(): Buffer
}

export function createRunningRoot(): RunningRoot {
  const levels: Level[] = []
  let size = 0
  return {
    size: () => size,
    add(leaf) {
      let digest = sha256Latin1(leaf)
      for (let height = 0; ; height += 1) {
        const level = levelAt(levels, height)
        level.waits = !level.waits
        if (level.waits) {
          level.node.write(digest, leftAt, 'latin1')
          break
        }
        digest = closeNode(level, digest)
      }
      size += 1
    },
    root() {
      const [lowest, ...above] = levels.filter(({ waits }) => waits)
      if (!lowest) return sha256('')
      const left = lowest.node.toString('latin1', leftAt, rightAt)
      const top = above.reduce((right, level) => closeNode(level, right), left)
      return Buffer.from(top, 'latin1')
    },
  }
}

/** What is hashed for the next node of a level; its left child stands there when it waits for the right one. */
type Level = { readonly node: Buffer; waits: boolean }

const leftAt = 1
const rightAt = leftAt + hashBytes

function levelAt(levels: Level[], height: number): Level {
  const level = levels[height] ?? { node: Buffer.alloc(rightAt + hashBytes, 1), waits: false }
  levels[height] = level
  return level
}

function closeNode({ node }: Level, right: string): string {
  node.write(right, rightAt, 'latin1')
  return sha256Latin1(node)
}
