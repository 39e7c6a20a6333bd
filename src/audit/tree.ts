import { Failure } from '../primitives/index.ts'
import { appendLeaf, emptyFrontier, type Frontier, hashBytes, leafHash, perfectRoot } from './merkle.ts'
import { cover, type NodeReader } from './proof.ts'
import type { LogStorage } from './storage.ts'
import { type Tile, tileHeight, tileWidth } from './tiles.ts'

/** The log's tree in memory: its frontier, and for each level of tiles the hashes of the one that is not complete. Never changed in place. */
export type Tree = { readonly frontier: Frontier; readonly edges: readonly (readonly Buffer[])[] }

export const emptyTree: Tree = { frontier: emptyFrontier, edges: [] }

/** The tree with these leaves after its own, and the tiles that they complete. */
export function growTree(
  tree: Tree,
  leaves: readonly Buffer[],
): { readonly tree: Tree; readonly completed: readonly Tile[] } {
  const edges = tree.edges.map((edge) => edge.slice())
  const completed: Tile[] = []
  let frontier = tree.frontier
  const collect = (level: number, root: Buffer) => {
    if (level % tileHeight !== 0) return
    const edge = edges[level / tileHeight] ?? []
    edges[level / tileHeight] = edge
    edge.push(root)
    if (edge.length < tileWidth) return
    const index = Math.floor(frontier.size / 2 ** (level + tileHeight))
    completed.push({ level: level / tileHeight, index, hashes: Buffer.concat(edge) })
    edge.length = 0
  }
  for (const leaf of leaves) frontier = appendLeaf(frontier, leaf, collect)
  return { tree: { frontier, edges }, completed }
}

/** The tree of the first `size` entries, from what is stored. Throws `store_invalid` when something of it is missing. */
export async function loadTree(size: number, storage: LogStorage): Promise<Tree> {
  const edges: Buffer[][] = []
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / tileWidth)) {
    const first = count - (count % tileWidth)
    edges.push(
      level === 0
        ? await loadLeaves(first, count, storage)
        : await loadRoots(level - 1, { first, end: count }, storage),
    )
  }
  const roots = edges.map(edgeRoots).reverse().flat()
  return { frontier: { size, roots }, edges }
}

/** Reads the nodes of a tree from its edges and the stored tiles. */
export function createNodeReader(tree: Tree, storage: LogStorage): NodeReader {
  return async (subtree) => {
    const level = Math.floor(subtree.level / tileHeight)
    const width = 2 ** (subtree.level % tileHeight)
    const first = subtree.index * width
    const hashes = await readTile(tree, { level, index: Math.floor(first / tileWidth) }, storage)
    const offset = (first % tileWidth) * hashBytes
    return perfectRoot(hashes.subarray(offset, offset + width * hashBytes))
  }
}

/** The hashes of a tile as far as the tree has them: all, some, or none. */
export async function readTile(
  tree: Tree,
  place: { readonly level: number; readonly index: number },
  storage: LogStorage,
): Promise<Uint8Array> {
  const complete = Math.floor(tree.frontier.size / tileWidth ** (place.level + 1))
  if (place.index < complete) return storedTile(place.level, place.index, storage)
  return Buffer.concat(place.index === complete ? (tree.edges[place.level] ?? []) : [])
}

async function loadLeaves(first: number, end: number, storage: LogStorage): Promise<Buffer[]> {
  const entries = await storage.entries(first, end - first)
  if (entries.length !== end - first) throw damaged('the last entries are missing')
  return entries.map(leafHash)
}

async function loadRoots(
  level: number,
  range: { readonly first: number; readonly end: number },
  storage: LogStorage,
): Promise<Buffer[]> {
  const roots: Buffer[] = []
  for (let index = range.first; index < range.end; index += 1) {
    roots.push(perfectRoot(await storedTile(level, index, storage)))
  }
  return roots
}

async function storedTile(level: number, index: number, storage: LogStorage): Promise<Uint8Array> {
  const hashes = await storage.tile(level, index)
  if (hashes?.length !== tileWidth * hashBytes) throw damaged(`tile ${level}/${index} is missing`)
  return hashes
}

function edgeRoots(edge: readonly Buffer[]): Buffer[] {
  return cover({ begin: 0, end: edge.length }).map(({ level, index }) => {
    const width = 2 ** level
    return perfectRoot(Buffer.concat(edge.slice(index * width, (index + 1) * width)))
  })
}

function damaged(internal: string): Failure {
  return new Failure('store_invalid', 'The stored log is damaged.', {
    internal,
    next: 'sallyport audit verify, then restore the store from a backup',
  })
}
