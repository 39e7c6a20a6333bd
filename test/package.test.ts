import { dirname } from 'node:path'
import { test } from 'node:test'
import { checkPublished, unpublishable } from './published.ts'

test('the published packages install without a network and run on Node 24', { skip: unpublishable }, () =>
  checkPublished({ nodeFolder: dirname(process.execPath), nodeMajor: 24 }),
)
