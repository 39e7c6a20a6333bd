import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { check } from '../guard/index.ts'
import { cases, contractsUnderTest } from './guard.fixture.ts'
import { javascriptGuard } from './javascript.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-guard-'))
after(() => rmSync(folder, { recursive: true }))

const runs = 10_000

for (const rules of contractsUnderTest())
  test(`the guard of ${rules.name} in JavaScript answers as the interpreter does, word for word`, async (t) => {
    const file = join(folder, `${rules.name}.mjs`)
    writeFileSync(file, javascriptGuard(rules))
    const guard = await import(file)
    const outcomes = new Map<string, number>()
    fc.assert(
      fc.property(cases(rules), fc.constantFrom('launcher', 'program'), ({ env, scope }, seenBy) => {
        const wanted = check(rules, env, { scope, seenBy })
        assert.deepEqual(guard.check(env, { scope, seenBy }), wanted)
        for (const code of wanted.findings.length === 0
          ? ['passed']
          : new Set(wanted.findings.map(({ code }) => code)))
          outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
      }),
      { numRuns: runs },
    )
    t.diagnostic(`${runs} environments: ${distribution(outcomes)}`)
    assert.ok((outcomes.get('passed') ?? 0) > runs / 100, 'too few environments pass to say anything')
  })

function distribution(outcomes: ReadonlyMap<string, number>): string {
  return [...outcomes]
    .sort()
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ')
}
