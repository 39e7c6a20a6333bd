import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { policyData } from '../../../contract/index.ts'
import { Secret } from '../../../primitives/index.ts'
import {
  contractFixture,
  grantedQuestion,
  isPolicyUnavailable,
  policyConformance,
} from '../../../testing/index.ts'
import { type OpaServer, policySource, startOpa } from '../../../testing/opa.ts'
import { openOpaServer } from './index.ts'

policyConformance('opa-server', async () => {
  const server = await startOpa()
  if ('skip' in server) return server
  await server.putPolicy('sallyport', policySource())
  return {
    open: async (data) => {
      await server.putData('grants', data.grants)
      return openOpaServer({ url: server.url })
    },
    openBroken: async () => openOpaServer({ url: server.url, decision: 'sallyport/undefined' }),
    close: () => server.stop(),
  }
})

describe('a real OPA server that asks for a token', () => {
  const token = randomBytes(32).toString('hex')
  let server: OpaServer | { readonly skip: string } = { skip: 'not started' }
  before(async () => {
    server = await startOpa({ token })
    if ('skip' in server) return
    await server.putPolicy('sallyport', policySource())
    await server.putData('grants', policyData(contractFixture()).grants)
  })
  after(async () => {
    if (!('skip' in server)) await server.stop()
  })

  test('it decides for the bearer of the token and for nobody else, and nothing once it is gone', async (context) => {
    if ('skip' in server) return context.skip(server.skip)
    const never = new AbortController().signal
    const engine = openOpaServer({ url: server.url, token: new Secret(token) })
    assert.deepEqual(await engine.decide(grantedQuestion, never), {
      allow: true,
      grant: 'agent-7-reads-orders',
    })
    for (const other of [{}, { token: new Secret(`${token}0`) }]) {
      const stranger = openOpaServer({ url: server.url, ...other })
      await assert.rejects(stranger.decide(grantedQuestion, never), isPolicyUnavailable)
    }
    await server.stop()
    await assert.rejects(engine.decide(grantedQuestion, never), isPolicyUnavailable)
  })
})
