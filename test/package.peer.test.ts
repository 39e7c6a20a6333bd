import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { checkPublished, unpublishable } from './published.ts'

const peers = resolve(import.meta.dirname, '..', process.env['SALLYPORT_PEERS'] ?? '.peers')
const nodeFolder = join(peers, 'node26/node_modules/node/bin')
const missing = existsSync(join(nodeFolder, 'node')) ? false : 'Node 26 is not in .peers (npm run test:peers)'

test(
  'the published packages install without a network and run on Node 26',
  {
    skip: unpublishable || missing,
  },
  () => checkPublished({ nodeFolder, nodeMajor: 26 }),
)
