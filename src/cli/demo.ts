import { createReadStream, createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Client, type CredentialRequest, createClient, type Issued } from '../../client/src/index.ts'
import { verifyExport } from '../audit/index.ts'
import { Failure } from '../primitives/index.ts'
import { type DemoTarget, startDemoTarget } from './demo-target.ts'
import { type Dev, startDev } from './dev.ts'
import { paint, type Terminal } from './terminal.ts'
import { version } from './version.ts'

/** `sallyport demo`: the main job on a real broker and a real target. Every line is what really happened; a surprise ends it with 1. */
export async function demo(io: Terminal): Promise<number> {
  const began = performance.now()
  const target = await startDemoTarget()
  try {
    const dev = await startDev({ port: 0, humanPort: 0, ...target.devOptions }, () => undefined)
    try {
      await target.open(dev)
      const told = await tellStory(io, { dev, target })
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      io.say(`\n${told} of ${told} as promised, in ${seconds} s`)
      io.say('Next: npm run sallyport -- dev    a broker to try things on')
      return 0
    } finally {
      await dev.stop()
    }
  } finally {
    await target.close()
  }
}

type Stage = { readonly dev: Dev; readonly target: DemoTarget }
type Tell = (title: string, detail: string, more?: readonly string[]) => void

async function tellStory(io: Terminal, { dev, target }: Stage): Promise<number> {
  let told = 0
  const tell: Tell = (title, detail, more = []) => {
    told += 1
    if (io.json) io.out(JSON.stringify({ step: told, title, detail, more }))
    else {
      io.out(`${String(told).padStart(2)}  ${paint('bold', title.padEnd(10))} ${detail}`)
      for (const line of more) io.out(`${' '.repeat(15)}${paint('gray', line)}`)
    }
  }
  const { assembled } = dev.running
  io.say(`sallyport ${version} · mode ${assembled.mode.name} · embedded store · loopback only`)
  if (target.instead !== undefined)
    io.say(`${target.instead}; the demo goes on with tokens for a real HTTP service.`)
  io.say('')
  tell(
    'contract',
    `${assembled.contract.grants.length} grants for 2 identities, ${assembled.contract.digest.slice(0, 19)}…`,
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
  tell('issued', `${answer.lease_id}, ${answer.expires_in + 1} s`, [
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
    `${milliseconds} ms from the call to the refusal; the broker's own proof: ${proof === 'refused' ? 'it tried the dead credential, and it was refused' : proof}`,
  ])
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
  tell(
    'verified',
    `${verdict.size} entries offline against the pinned key, root ${verdict.root.slice(0, 16)}…`,
    [`the receipt of ${issued.lease_id} leads into it`],
  )
  const files = [file, ...readdirSync(dev.files.data).map((name) => join(dev.files.data, name))]
  const secrets = secretsOf(issued)
  const found = files.filter(
    (path) => path.includes('.') && secrets.some((secret) => readFileSync(path).includes(secret)),
  )
  if (found.length > 0) throw surprise('a secret was found on the disk')
  tell(
    'no secret',
    `${secrets.length} secret values of that credential looked for in log, store and export: none found`,
  )
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
