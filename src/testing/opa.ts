import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A real OPA server that a test started. */
export type OpaServer = {
  readonly url: string
  /** Replaces a policy module (`PUT /v1/policies/{name}`). */
  putPolicy(name: string, rego: string): Promise<void>
  /** Replaces a document (`PUT /v1/data/{path}`). */
  putData(path: string, value: unknown): Promise<void>
  stop(): Promise<void>
}

const root = resolve(import.meta.dirname, '../..')
const startMillisecondsMax = 10_000

/** The source of the policy that ships. */
export function policySource(): string {
  return readFileSync(resolve(root, 'policies/sallyport.rego'), 'utf8')
}

/**
 * Starts `.peers/bin/opa` on a free loopback port; with a token only its bearer may ask. `skip` says why when it is not installed.
 */
export async function startOpa(
  options: { readonly token?: string } = {},
): Promise<OpaServer | { readonly skip: string }> {
  const opa = resolve(root, process.env['SALLYPORT_PEERS'] ?? '.peers', 'bin/opa')
  if (!existsSync(opa)) return { skip: `no OPA at ${opa}` }
  const address = `127.0.0.1:${await freePort()}`
  const words = ['run', '--server', '--addr', address, '--disable-telemetry', '--log-level=error']
  const guard = options.token === undefined ? undefined : guardFolder(options.token)
  if (guard) words.push('--authentication=token', '--authorization=basic', guard)
  const child = spawn(opa, words, { stdio: 'ignore' })
  const headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
  const put = async (path: string, body: string) => {
    const answer = await fetch(`http://${address}/v1/${path}`, { method: 'PUT', body, headers })
    if (!answer.ok) throw new Error(`OPA refused ${path}: ${answer.status} ${await answer.text()}`)
  }
  await ready(`http://${address}/health`, child)
  return {
    url: `http://${address}`,
    putPolicy: (name, rego) => put(`policies/${name}`, rego),
    putData: (path, value) => put(`data/${path}`, JSON.stringify(value)),
    stop: async () => {
      await stop(child)
      if (guard) rmSync(guard, { recursive: true, force: true })
    },
  }
}

/** A folder with the one policy that OPA must have before it answers: who may ask. */
function guardFolder(token: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-opa-'))
  const rego = `package system.authz
default allow := false
allow if input.identity == ${JSON.stringify(token)}
allow if input.path == ["health"]`
  writeFileSync(join(folder, 'authz.rego'), rego, { mode: 0o600 })
  return folder
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + startMillisecondsMax
  while (performance.now() < giveUpAt && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await pause(50)
  }
  await stop(child)
  throw new Error('OPA did not start.')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill()
  await gone
}
