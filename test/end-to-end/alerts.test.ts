import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { seedRequest, startRunning } from '../running.ts'

test('an alert that its target refuses stands in the log of the operator and is counted', async (context) => {
  const hook = createServer((_, response) => void response.writeHead(404).end())
  await once(hook.listen(0, '127.0.0.1'), 'listening')
  context.after(() => hook.close())
  const address = hook.address()
  assert.ok(address && typeof address === 'object')
  const secret = 'T0ken-in-the-path'
  const targets = `alerts:\n  - webhook: http://127.0.0.1:${address.port}/${secret}\n`
  const running = await startRunning({ contract: (text) => text + targets })
  context.after(() => running.close())
  const metrics = async () => (await running.machine({ path: '/metrics' })).text
  const counted = (outcome: string, times: number) =>
    new RegExp(`^sallyport_alerts_total\\{target="alerts\\[0\\]",outcome="${outcome}"\\} ${times}$`, 'm')
  assert.match(await metrics(), counted('failed', 0))

  running.setStore('broken')
  const as = running.machines.warden
  const asked = {
    method: 'POST',
    path: '/v1/credentials',
    body: seedRequest,
    as: { machineKey: as.machineKey },
  }
  assert.equal((await running.machine(asked)).status, 503)
  for (let looks = 0; !counted('failed', 1).test(await metrics()) && looks < 500; looks += 1) await pause(10)

  const text = await metrics()
  assert.match(text, counted('failed', 1))
  assert.match(text, counted('delivered', 0))
  assert.match(text, /^sallyport_alerts_waiting\{target="alerts\[0\]"\} 0$/m)
  const line = running.notes.find(({ alert }) => alert !== undefined)
  assert.deepEqual(line, {
    level: 'error',
    message: 'An alert did not reach its target (failed).',
    alert: 'Audit Log Unwritable',
    summary: 'The audit log cannot be written. Nothing is issued until it can; it is tried again and again.',
    target: 'alerts[0]',
    internal: 'It answered 404.',
  })
  assert.equal(JSON.stringify([text, running.notes]).includes(secret), false)
})
