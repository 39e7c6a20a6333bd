import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'

const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        version: z.string().optional(),
        link: z.boolean().optional(),
        dependencies: z.record(z.string(), z.string()).optional(),
        optionalDependencies: z.record(z.string(), z.string()).optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')))

// An install on one platform can leave out what only others need, and then `npm ci` refuses the file everywhere.
test('the lock file holds every package of every platform', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(path, name))
      .map((name) => `${path}: ${name}`),
  )
  assert.deepEqual(missing, [])
})

/** Whether a package is locked where the one at `path` would look for it. */
function isLocked(path: string, name: string): boolean {
  const above = path.split(/(?:^|\/)node_modules\//).slice(1)
  const places = above.map((_, depth) =>
    above
      .slice(0, depth + 1)
      .map((part) => `node_modules/${part}`)
      .join('/'),
  )
  return ['', ...places.map((place) => `${place}/`)].some(
    (place) => lock.packages[`${place}node_modules/${name}`],
  )
}
