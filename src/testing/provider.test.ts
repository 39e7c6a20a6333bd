import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('the conformance suite catches every provider that breaks one of its promises', async (context) => {
  const fixture = fileURLToPath(new URL('./broken-providers.fixture.ts', import.meta.url))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const output = await new Promise<string>((resolve) => {
    const parameters = ['--test', '--test-reporter=tap', fixture]
    execFile(process.execPath, parameters, { env, timeout: 60_000 }, (_error, stdout) => resolve(stdout))
  })
  const suites = [
    ...output.matchAll(/^(?: {4})?(not ok|ok) \d+ - one (.*) keeps the provider port's promises/gm),
  ]
  const [control, ...broken] = suites
  assert.equal(control?.[1], 'ok', 'the one that breaks nothing passes')
  assert.ok(broken.length >= 19, `only ${broken.length} suites ran:\n${output.slice(0, 2000)}`)
  for (const [, came, name] of broken) assert.equal(came, 'not ok', `one ${name} was not caught`)
  context.diagnostic(`${broken.length} broken providers, all of them caught`)
})
