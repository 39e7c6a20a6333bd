import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assetPath } from './assets.ts'

test('an asset is found from the root of the package', () => {
  const manifest: { name: string } = JSON.parse(readFileSync(assetPath('package.json'), 'utf8'))
  assert.equal(manifest.name, 'sallyport')
})
