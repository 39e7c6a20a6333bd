import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { resolveMode } from './mode.ts'
import { requireContract } from './parse.ts'

const file = 'agenticverz.yaml'
const text = readFileSync(new URL(`../../contracts/${file}`, import.meta.url), 'utf8')
const contract = requireContract({ file, text })

test('a mode is the one whose whole tuple holds', () => {
  for (const { name, match } of contract.modes.values()) assert.equal(resolveMode(contract, match).name, name)
})

for (const [seen, change] of [
  [{ AOS_MODE: 'local' }, 'DB_AUTHORITY=local if this is LOCAL'],
  [{ AOS_MODE: 'Prod', DB_AUTHORITY: 'neon' }, 'AOS_MODE=prod if this is PROD'],
  [{ AOS_MODE: 'preprd', DB_AUTHORITY: 'neon' }, 'AOS_MODE=preprod if this is PREPROD'],
  [{ AOS_MODE: 'prod', DB_AUTHORITY: 'NEON' }, 'DB_AUTHORITY=neon if this is PROD'],
  [{ AOS_MODE: 'prod ', DB_AUTHORITY: 'neon' }, 'AOS_MODE=prod if this is PROD'],
] as const)
  test(`${JSON.stringify(seen)} is no mode, and the nearest one is named`, () => {
    assert.throws(() => resolveMode(contract, seen), {
      code: 'mode_unmatched',
      next: `set ${change}; there is no default mode`,
    })
  })
