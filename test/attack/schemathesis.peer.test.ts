import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runProgram } from '../end-to-end/site.ts'
import { type Running, startRunning } from '../running.ts'

const root = join(import.meta.dirname, '../..')
const program = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'py/bin/schemathesis')
/** Cases of each operation; the long run takes half an hour: `SALLYPORT_EXAMPLES=2000 node --test test/attack/schemathesis.peer.test.ts`. */
const examples = process.env['SALLYPORT_EXAMPLES'] ?? '60'
const skip = existsSync(program) ? false : 'schemathesis is not there: npm run test:peers installs it'

describe('what /openapi.json declares is what is answered', { skip, timeout: 3_600_000 }, () => {
  let running: Running
  before(async () => {
    running = await startRunning()
    await writeFile(join(running.folder, 'ca.pem'), running.authority.own.certPem)
    const { certPem, keyPem } = running.machines['agent-7'].certificate
    await writeFile(join(running.folder, 'agent.pem'), certPem + keyPem)
    await writeFile(join(running.folder, 'schemathesis.toml'), settings)
  })
  after(() => running?.close())

  for (const plane of ['machine', 'human'] as const)
    for (const identity of ['with an identity', 'without one'] as const)
      test(`on the ${plane} plane ${identity}`, async () => {
        const words = [
          program,
          ...wordsFor(running, plane),
          ...(identity === 'without one' ? [] : shown(running, plane)),
        ]
        const environment = { PATH: process.env['PATH'] ?? '', HOME: running.folder, LANG: 'C.UTF-8' }
        const { code, out, told } = await runProgram(words, environment)
        assert.equal(code, 0, `${out}\n${told}`)
        console.log(`${plane}, ${identity}: ${out.match(/\d+ generated.*/)?.[0] ?? out.slice(-300)}`)
        const faults = running.notes.filter(({ code: fault }) => fault === 'internal')
        assert.deepEqual(faults, [], 'nothing failed inside')
      })
})

// A body that is too large is refused as such. And what no schema can say: whether a position is within a log that grows.
const settings = `
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
[[operations]]
include-operation-id = ["proveInclusion", "proveConsistency"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403]
`

function wordsFor({ broker, folder }: Running, plane: 'machine' | 'human'): readonly string[] {
  const url = plane === 'machine' ? broker.machineUrl : broker.humanUrl
  return [
    ...['--config-file', join(folder, 'schemathesis.toml')],
    ...['run', `${url}/openapi.json`, '--url', url, '--tls-verify', join(folder, 'ca.pem')],
    ...['--include-tag', plane, '--checks', 'all', '--max-examples', examples],
    ...['--generation-database', 'none', '--no-color', '--suppress-health-check', 'all', '--warnings', 'off'],
  ]
}

function shown({ folder, people }: Running, plane: 'machine' | 'human'): readonly string[] {
  // A second proof beside the one that is shown would be refused as two callers.
  const alone = ['--generation-with-security-parameters', 'false']
  // The tool cannot leave a certificate away, and takes that for an operation that needs none.
  if (plane === 'machine')
    return ['--request-cert', join(folder, 'agent.pem'), '--exclude-checks', 'ignored_auth', ...alone]
  return ['--header', `Authorization: Bearer ${people.paula.bearer}`, ...alone]
}
