import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { failureCodes } from '../primitives/index.ts'
import { statusOf } from '../server/http/index.ts'
import { type CredentialCheck, createGatekeeper, identityHeaders, type Verdict } from './index.ts'
import { contract, mapIn, modes } from './planes.fixture.ts'
import { statusOfRefusal } from './verdict.ts'

const valid: Readonly<Record<string, readonly [header: string, value: string]>> = {
  human: ['Authorization', 'Bearer of-a-person'],
  machine: ['X-AOS-Key', 'of-a-machine'],
  sandbox: ['X-AOS-Customer-Key', 'of-the-sandbox'],
}

/** Knows the three above; counts how often it was asked. */
function createFakeCheck() {
  const asked: string[] = []
  const check: CredentialCheck = {
    check({ header, value }) {
      asked.push(header)
      const known = Object.entries(valid).find(
        ([, [name, text]]) => name.toLowerCase() === header && text === value.reveal(),
      )
      if (!known)
        return {
          kind: 'refused',
          code: header === 'authorization' ? 'token_malformed' : 'machine_key_invalid',
        }
      return { kind: 'proven', plane: known[0], subject: `somebody-${known[0]}` }
    },
  }
  return { check, asked }
}

function judge(target: string, rawHeaders: readonly string[], mode = 'PROD', sandbox?: string): Verdict {
  const verdict = createGatekeeper({ map: mapIn(mode, sandbox), check: createFakeCheck().check }).judge({
    method: 'GET',
    target,
    rawHeaders,
  })
  assert.ok(!(verdict instanceof Promise))
  return verdict
}

function codeOf(verdict: Verdict): string {
  return verdict.kind === 'refused' ? verdict.code : verdict.plane
}

const endpoints = { human: '/api/v1/accounts/7', machine: '/api/v1/runs/7' }

test('who is admitted, by mode, endpoint and every set of valid credentials', () => {
  let cases = 0
  const names = Object.keys(valid)
  for (const mode of modes)
    for (const sandbox of ['true', 'false'])
      for (const [plane, path] of Object.entries(endpoints))
        for (let set = 0; set < 2 ** names.length; set += 1) {
          cases += 1
          const shown = names.filter((_, bit) => set & (1 << bit))
          const verdict = judge(
            path,
            shown.flatMap((name) => valid[name] ?? []),
            mode,
            sandbox,
          )
          const sandboxOpen = plane === 'human' && sandbox === 'true' && (mode === 'LOCAL' || mode === 'TEST')
          const takes = sandboxOpen ? ['human', 'sandbox'] : [plane]
          const [only] = shown
          const admits = shown.length === 1 && only !== undefined && takes.includes(only)
          assert.equal(verdict.kind, admits ? 'admitted' : 'refused', `${mode} ${sandbox} ${path} ${shown}`)
          if (verdict.kind === 'admitted') assert.equal(verdict.plane, only)
          else if (shown.length > 0 && !shown.every((name) => takes.includes(name)))
            assert.equal(verdict.code, 'plane_crossed')
        }
  console.log(`${cases} combinations`)
})

test('a credential of the wrong plane is refused unread, valid or not', () => {
  const { check, asked } = createFakeCheck()
  const { judge: ask } = createGatekeeper({ map: mapIn('PROD'), check })
  for (const value of ['of-a-machine', 'rubbish'])
    assert.equal(codeOf(judge(endpoints.human, ['X-AOS-Key', value])), 'plane_crossed')
  void ask({ method: 'GET', target: endpoints.human, rawHeaders: ['x-aos-key', 'of-a-machine'] })
  assert.deepEqual(asked, [])
})

test('no credential, an empty one and a wrong one are told apart', () => {
  assert.equal(codeOf(judge(endpoints.machine, [])), 'identity_missing')
  assert.equal(codeOf(judge(endpoints.machine, ['X-AOS-Key', ''])), 'identity_missing')
  assert.equal(codeOf(judge(endpoints.machine, ['X-AOS-Key', 'x'])), 'machine_key_invalid')
  assert.equal(codeOf(judge(endpoints.human, ['Authorization', 'Basic eDp5'])), 'token_malformed')
  assert.equal(codeOf(judge(endpoints.machine, ['Authorization', 'Basic eDp5'])), 'plane_crossed')
})

test('a header that stands twice is refused, whichever of the two is right', () => {
  const [header, value] = valid['machine'] ?? ['', '']
  for (const pair of [
    [header, value, header, value],
    [header, value, header.toUpperCase(), 'x'],
    [header, 'x', header.toLowerCase(), value],
  ])
    assert.equal(codeOf(judge(endpoints.machine, pair)), 'identity_ambiguous')
})

test('a second spelling of a header that counts is refused, and of any other one is not', () => {
  const own = ['X-AOS-Key', 'of-a-machine']
  for (const name of [
    'X_AOS_Key',
    'x-aos_key',
    'X_AOS_Customer_Key',
    'X_Sallyport_Subject',
    'x-sallyport_plane',
  ])
    assert.equal(codeOf(judge(endpoints.machine, [...own, name, 'x'])), 'request_invalid', name)
  assert.equal(codeOf(judge(endpoints.machine, [...own, 'x_request_id', '7'])), 'machine')
})

test('a closed gate and a path that nobody has give the same answer', () => {
  const [gated, unknown] = [judge('/__debug/openapi_nocache', []), judge('/__debug/other', [])]
  assert.deepEqual(gated, unknown)
  assert.ok(gated.kind === 'refused' && gated.status === 404)
  assert.equal(JSON.stringify(gated.body), '{"error":"not_found"}')
})

test('an open gate that no plane has admits nobody in particular', () => {
  const verdict = judge('/__debug/openapi_nocache', valid['machine'] ?? [], 'PREPROD')
  assert.deepEqual(verdict, { kind: 'admitted', plane: 'none', subject: 'none' })
  assert.deepEqual(identityHeaders(verdict), { 'x-sallyport-plane': 'none', 'x-sallyport-subject': 'none' })
})

test('a check that throws, rejects or proves another plane admits nobody', async () => {
  const broken: readonly CredentialCheck[] = [
    {
      check() {
        throw new Error('broken')
      },
    },
    { check: () => Promise.reject(new Error('broken')) },
    { check: () => ({ kind: 'proven', plane: 'human', subject: 'x' }) },
    { check: async () => ({ kind: 'proven', plane: 'elsewhere', subject: 'x' }) },
  ]
  const codes = await Promise.all(
    broken.map(async (check) => {
      const { judge: ask } = createGatekeeper({ map: mapIn('PROD'), check })
      return codeOf(
        await ask({ method: 'GET', target: endpoints.machine, rawHeaders: [...(valid['machine'] ?? [])] }),
      )
    }),
  )
  assert.deepEqual(codes, ['internal', 'internal', 'plane_crossed', 'plane_crossed'])
})

test('without one of the valid credentials nobody reaches a plane, whatever else is sent', () => {
  let cases = 0
  const name = fc.constantFrom(
    'authorization',
    'X-AOS-Key',
    'X-AOS-Customer-Key',
    'x-sallyport-plane',
    'cookie',
    'X-Forwarded-User',
  )
  const value = fc.oneof(fc.string(), fc.constantFrom('Bearer', 'Bearer ', 'of-a-machine,', 'true', 'admin'))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, value), { maxLength: 4 }),
      fc.constantFrom(...modes),
      (headers, mode) => {
        cases += 1
        for (const path of Object.values(endpoints))
          assert.equal(judge(path, headers.flat(), mode, 'true').kind, 'refused')
      },
    ),
    { numRuns: 1000 },
  )
  console.log(`${cases} sets of headers`)
})

test('a refusal has the status that the broker’s own listeners give it', () => {
  const codes = failureCodes.filter((code) =>
    /^(token_|identity_(missing|ambiguous)|machine_key|plane_|not_|issuer_|request_invalid|internal)/.test(
      code,
    ),
  )
  assert.ok(codes.length > 15)
  for (const code of codes) assert.equal(statusOfRefusal(code), statusOf[code], code)
})

test('the contract of the seed has the planes that these tests speak of', () => {
  assert.deepEqual(
    [...(contract.environment?.planes.keys() ?? [])],
    ['human', 'machine', 'sandbox', 'database'],
  )
})
