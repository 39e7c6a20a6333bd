/**
 * Goes through an export in a process of its own: `node verifier.ts verify FILE VKEY` verifies it; `hash-buffers FILE` and `hash-text FILE` only hash the
 * same leaves and as many nodes as the tree has, from memory. Prints milliseconds and the most bytes that were resident.
 */
import { hash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { verifyExport } from '../../src/audit/index.ts'

export type Verified = { readonly milliseconds: number; readonly residentBytes: number }

/** As much as `sallyport audit verify` reads at once. */
const chunkBytes = 256 * 1024
const [what, file = '', vkey = ''] = process.argv.slice(2)
const work = chosen()
const before = performance.now()
await work()
const milliseconds = performance.now() - before
console.log(JSON.stringify({ milliseconds, residentBytes: process.resourceUsage().maxRSS * 1024 }))

async function verifying(path: string, key: string): Promise<void> {
  const verdict = await verifyExport(createReadStream(path, { highWaterMark: chunkBytes }), { vkeys: [key] })
  if (verdict.kind !== 'verified') throw new Error(`The log does not verify: ${JSON.stringify(verdict)}`)
}

function chosen(): () => unknown {
  switch (what) {
    case 'verify':
      return () => verifying(file, vkey)
    case 'hash-buffers':
      return hashing(readFileSync(file), (bytes) => hash('sha256', bytes, 'buffer'))
    case 'hash-text':
      return hashing(readFileSync(file), (bytes) => hash('sha256', bytes, 'binary'))
    default:
      throw new Error(`There is no ${what}.`)
  }
}

/** RFC 6962 §2.1: one hash of each entry behind a zero byte, and one of 65 bytes for each of the n - 1 nodes above. */
function hashing(bytes: Buffer, digest: (bytes: Buffer) => unknown): () => void {
  const leaves: Buffer[] = []
  for (
    let begin = 0, end = bytes.indexOf('\n');
    end >= 0;
    begin = end + 1, end = bytes.indexOf('\n', begin)
  ) {
    if (!bytes.toString('latin1', begin, begin + 5).startsWith('{"v":')) continue
    bytes[begin - 1] = 0
    leaves.push(bytes.subarray(begin - 1, end))
  }
  const node = Buffer.alloc(65, 1)
  return () => {
    for (const leaf of leaves) digest(leaf)
    for (let count = 1; count < leaves.length; count += 1) digest(node)
  }
}
