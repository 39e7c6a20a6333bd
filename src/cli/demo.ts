import { createReadStream, createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  type Client,
  type CredentialRequest,
  createClient,
  type EndedLease,
  type Issued,
} from '../../client/src/index.ts'
import { verifyExport, verifyReceipt } from '../audit/index.ts'
import { Failure } from '../primitives/index.ts'
import { type DemoTarget, startDemoTarget } from './demo-target.ts'
import { type Dev, startDev } from './dev.ts'
import { jsonText, paint, signalExitCode, type Terminal, untilSignal } from './terminal.ts'
import { version } from './version.ts'

/** `sallyport demo`: the main job on a real broker and a real target. Every line is what really happened; a surprise ends it with 1. */
export async function demo(io: Terminal): Promise<number> {
  const began = performance.now()
  const stopped = untilSignal()
  const notes: object[] = []
  const target = await startDemoTarget(process.env)
  try {
    // Nothing of the user's environment decides here.
    const world = { environment: {}, note: (line: object) => void notes.push(line) }
    const dev = await startDev({ port: 0, humanPort: 0, ...target.devOptions }, world)
    try {
      await target.open(dev)
      const story = tellStory(io, { dev, target })
      const outcome = await Promise.race([story, stopped])
      if (typeof outcome === 'number') return conclude(io, outcome, performance.now() - began)
      story.catch(() => undefined)
      return signalExitCode(outcome)
    } finally {
      await dev.stop()
    }
  } catch (thrown) {
    for (const line of notes) io.say(jsonText(line))
    throw thrown
  } finally {
    await target.close()
  }
}

function conclude(io: Terminal, told: number, milliseconds: number): number {
  const command = process.env['npm_lifecycle_event'] === 'demo' ? 'npm run sallyport -- dev' : 'sallyport dev'
  io.say('')
  io.say(`all ${told} steps as promised, in ${(milliseconds / 1000).toFixed(1)} s`)
  io.say(`Next: ${command}    a broker to try things on`)
  return 0
}

type Stage = { readonly dev: Dev; readonly target: DemoTarget }
type Tell = (title: string, detail: string, more?: readonly string[]) => void

async function tellStory(io: Terminal, { dev, target }: Stage): Promise<number> {
  let told = 0
  const tell: Tell = (title, detail, more = []) => {
    told += 1
    if (io.json) io.data({ step: told, title, detail, more })
    else {
      io.out(`${String(told).padStart(2)}  ${paint('bold', title.padEnd(10))} ${detail}`)
      for (const line of more) io.out(`${' '.repeat(15)}${paint('gray', line)}`)
    }
  }
  const { mode, contract } = dev.running.assembled
  io.say(`sallyport ${version} · mode ${mode.name} · embedded store · loopback only`)
  if (target.instead !== undefined)
    io.say(`${target.instead}; the demo goes on with tokens for a real HTTP service.`)
  io.say('')
  tell(
    'contract',
    `grants: ${contract.grants.length}, identities: ${contract.identities.size}, digest ${contract.digest.slice(0, 19)}…`,
  )
  const agent = clientOf(dev, 'agent')
  const person = clientOf(dev, 'person')
  try {
    await denial(agent, target.denied, tell)
    const issued = await issuance(agent, target.allowed, tell)
    for (const [title, words] of await target.use(issued)) tell(title, words)
    await crossing(dev, tell)
    await ending(agent, issued, { target, tell })
    await verification(person, issued, { dev, tell })
    return told
  } finally {
    agent.close()
    person.close()
  }
}

async function denial(agent: Client, wanted: CredentialRequest, tell: Tell): Promise<void> {
  const answer = await agent.request(wanted)
  if (answer.kind !== 'denied') throw surprise(`${wanted.resource} was not denied`)
  tell('denied', `agent-7 asks ${wanted.service} ${wanted.action} ${wanted.resource}`, [
    `${answer.detail} (sallyport.yaml:${answer.contract.line})`,
    `Next: ${answer.next}`,
  ])
}

async function issuance(agent: Client, wanted: CredentialRequest, tell: Tell): Promise<Issued> {
  const answer = await agent.request(wanted, { idempotencyKey: 'demo-1' })
  if (answer.kind !== 'issued') throw surprise(answer.detail)
  const again = await agent.request(wanted, { idempotencyKey: 'demo-1' })
  if (again.kind !== 'issued' || again.lease_id !== answer.lease_id)
    throw surprise('a repeated request minted twice')
  tell('issued', `${answer.lease_id}, ends in ${answer.expires_in} s`, [
    answer.meaning,
    `enforced by ${answer.enforced_by}; asked twice with one Idempotency-Key, minted once`,
  ])
  return answer
}

/** A machine key that is valid, on the plane of people. */
async function crossing(dev: Dev, tell: Tell): Promise<void> {
  const key = readFileSync(dev.files.machineKey, 'utf8')
  const answer = await new Promise<string>((resolve, reject) => {
    const url = new URL('/v1/leases', dev.running.humanUrl)
    const call = httpsRequest(
      url,
      { ca: readFileSync(dev.files.ca), headers: { 'X-AOS-Key': key } },
      async (response) => {
        const pieces: Buffer[] = []
        for await (const piece of response) pieces.push(Buffer.from(piece))
        resolve(Buffer.concat(pieces).toString())
      },
    )
    call.once('error', reject).end()
  })
  if (!answer.includes('"plane_crossed"')) throw surprise('a machine key was not refused on the human plane')
  tell('planes', "agent-7's valid machine key on the human plane: refused, plane_crossed")
}

async function ending(
  agent: Client,
  issued: Issued,
  { target, tell }: { target: DemoTarget; tell: Tell },
): Promise<void> {
  const began = performance.now()
  const { lease, proof } = await agent.revoke(issued.lease_id)
  if (lease.state !== 'ended') throw surprise(`the lease is ${lease.state}`)
  const refused = await target.refusedAfterRevocation(issued)
  const milliseconds = Math.round(performance.now() - began)
  tell('revoked', refused, [
    `${milliseconds} ms from the call to the refusal; the broker's own proof: ${ownProof[proof]}`,
  ])
}

const ownProof: Readonly<Record<EndedLease['proof'], string>> = {
  refused: 'it tried the dead credential, and it was refused',
  unproven: 'none, a token is tried where it is used',
  pending: 'not yet',
}

async function verification(
  person: Client,
  issued: Issued,
  { dev, tell }: { dev: Dev; tell: Tell },
): Promise<void> {
  const file = join(dev.files.folder, 'log.jsonl')
  await pipeline(await person.exportLog(), createWriteStream(file))
  const verdict = await verifyExport(createReadStream(file), {
    vkeys: [dev.running.assembled.log.vkey],
    knownCheckpoint: issued.receipt.checkpoint,
  })
  if (verdict.kind !== 'verified') throw surprise(`the log is ${verdict.kind}`)
  await proveReceipt(person, issued, dev)
  tell(
    'verified',
    `${verdict.size} entries offline against the pinned key, root ${verdict.root.slice(0, 16)}…`,
    [`the receipt of ${issued.lease_id} is proven to be one of them`],
  )
  noSecretOnDisk(issued, { dev, tell })
}

async function proveReceipt(person: Client, { receipt }: Issued, dev: Dev): Promise<void> {
  const proof = await person.inclusionProof({ index: receipt.index })
  const proven = verifyReceipt({
    entry: { leafHash: receipt.leaf_hash },
    index: receipt.index,
    proof: proof.hashes.map((hash) => Buffer.from(hash, 'hex')),
    checkpoint: proof.checkpoint ?? '',
    vkeys: [dev.running.assembled.log.vkey],
  })
  if (proven.kind !== 'verified') throw surprise(`the receipt is ${proven.kind}`)
}

/** The log, the store and the export lie in the folder, and whatever else the broker wrote. */
function noSecretOnDisk(issued: Issued, { dev, tell }: { dev: Dev; tell: Tell }): void {
  const secrets = secretsOf(issued)
  const files = readdirSync(dev.files.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const found = files.filter((path) => secrets.some((secret) => readFileSync(path).includes(secret)))
  if (secrets.length === 0 || found.length > 0) throw surprise('a secret was found on the disk')
  const looked = `looked for in the ${files.length} files of the broker, log and export among them`
  tell('no secret', `${secrets.length} secret values of that credential ${looked}: none found`)
}

function secretsOf({ credential }: Issued): readonly string[] {
  return ['password', 'url', 'access_token'].flatMap((name) =>
    credential[name] === undefined ? [] : [String(credential[name])],
  )
}

function clientOf({ running, files }: Dev, who: 'agent' | 'person'): Client {
  const ca = readFileSync(files.ca, 'utf8')
  if (who === 'person') {
    return createClient({
      url: running.humanUrl,
      ca,
      identity: { kind: 'token', token: readFileSync(files.humanToken, 'utf8') },
    })
  }
  const [certificate, key] = [
    readFileSync(files.certificate, 'utf8'),
    readFileSync(files.certificateKey, 'utf8'),
  ]
  return createClient({ url: running.machineUrl, ca, identity: { kind: 'certificate', certificate, key } })
}

function surprise(what: string): Failure {
  return new Failure('internal', 'The demo did not go as promised.', { internal: what })
}
