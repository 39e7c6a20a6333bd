import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readContract } from '../catalog/index.ts'
import { resolveMode } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { type WitnessOptions, witnessesOf } from './cosigning.ts'
import {
  createDevCertificates,
  type DevCertificates,
  type DevFiles,
  devFiles,
  keepContract,
  keptPorts,
  writePrivate,
} from './dev-folder.ts'
import { startDevIssuer } from './dev-issuer.ts'
import { freePort } from './free-port.ts'
import { pathWord } from './path-word.ts'
import { type RunningBroker, type RunOptions, runBroker } from './running-broker.ts'
import { paint, type Terminal, untilSignal } from './terminal.ts'

export type DevOptions = WitnessOptions & {
  /** Absent is a temporary folder that is gone at the end. */
  readonly dir?: string
  /** 0 is the port of the last time in this folder, or a free one. */
  readonly port: number
  readonly humanPort: number
  /** An administrator's URL of a PostgreSQL for the service `orders-db`. */
  readonly postgres?: string
}

/** A development broker that runs in this process. */
export type Dev = {
  readonly running: RunningBroker
  readonly files: DevFiles
  readonly stop: () => Promise<void>
}

type DevWorld = Pick<RunOptions, 'note'> & { readonly environment: NodeJS.ProcessEnv }

/** Of the person's token; a new one is written long before the old one is over. */
const tokenSeconds = 12 * 3600
const tokenRenewMs = 3_600_000

/** Starts a broker on loopback with an own CA, an own issuer, and one agent and one person who may use it. */
export async function startDev(options: DevOptions, world: DevWorld): Promise<Dev> {
  const temporary = options.dir === undefined
  const folder = temporary ? mkdtempSync(join(tmpdir(), 'sallyport-dev-')) : resolve(options.dir)
  const remove = () => (temporary ? rmSync(folder, { recursive: true, force: true }) : undefined)
  try {
    const dev = await startIn(devFiles(folder), options, world)
    return { ...dev, stop: () => dev.stop().finally(remove) }
  } catch (thrown) {
    remove()
    throw thrown
  }
}

async function startIn(files: DevFiles, options: DevOptions, world: DevWorld): Promise<Dev> {
  const kept = keptPorts(files)
  // First of all: where another broker runs in this folder its issuer listens there, and nothing of it is overwritten.
  const issuer = await startDevIssuer(kept.issuer || (await freePort()))
  let started: RunningBroker | undefined
  try {
    const certificates = await createDevCertificates(files)
    const port = options.port || (await freePort(kept.machine))
    const running = await runIn(files, { ...options, port }, { issuer: issuer.issuer, certificates }, world)
    started = running
    certificates.write()
    const renew = async () => {
      const claims = { subject: 'dana', audience: 'sallyport', ttlSeconds: tokenSeconds }
      writePrivate(files.humanToken, await issuer.sign(claims))
    }
    await renew()
    writePrivate(files.description, JSON.stringify(describeDev(running, files), null, 2))
    const renewing = setInterval(renew, tokenRenewMs)
    const stop = async () => {
      clearInterval(renewing)
      await running.stop()
      await issuer.stop()
    }
    return { running, files, stop }
  } catch (thrown) {
    await started?.stop()
    await issuer.stop()
    throw thrown
  }
}

async function runIn(
  files: DevFiles,
  { port, humanPort, postgres, ...witnessed }: DevOptions,
  { issuer, certificates }: { readonly issuer: string; readonly certificates: DevCertificates },
  world: DevWorld,
): Promise<RunningBroker> {
  const environment = { SALLYPORT_MODE: 'local', ...world.environment, SALLYPORT_DEV_POSTGRES: postgres }
  const postgresUrl = postgres === undefined ? {} : { postgresUrl: postgres }
  keepContract(files, { issuer, machineUrl: `https://127.0.0.1:${port}`, ...postgresUrl })
  await refuseProduction(files.contract, environment)
  return await runBroker({
    contractFile: files.contract,
    dataFolder: files.data,
    environment,
    machine: { host: '127.0.0.1', port },
    human: { host: '127.0.0.1', port: humanPort },
    tls: certificates.tls,
    ...witnessesOf(witnessed),
    note: world.note,
  })
}

/** The contract of a named folder is the user's to edit; a throw-away CA and issuer are for no environment that matters. */
async function refuseProduction(contractFile: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const mode = resolveMode(await readContract(contractFile), environment)
  if (mode.class === 'development' || mode.class === 'test') return
  const message = `The mode ${mode.name} of ${contractFile} is of class ${mode.class}; sallyport dev runs in development and test alone.`
  throw new Failure('option_invalid', message, {
    next: `sallyport serve --contract ${pathWord(contractFile)}`,
  })
}

/** What a script needs to go on; the one line of `sallyport dev --json`, and `dev.json` in the folder. */
export function describeDev(running: RunningBroker, files: DevFiles) {
  const { mode, log, contract } = running.assembled
  return {
    machine_url: running.machineUrl,
    human_url: running.humanUrl,
    mode: mode.name,
    folder: files.folder,
    contract: files.contract,
    ca: files.ca,
    log_key: log.vkey,
    agent: {
      agent_id: 'agent-7',
      tenant: 'acme',
      certificate: files.certificate,
      certificate_key: files.certificateKey,
      machine_key: files.machineKey,
      machine_key_header: contract.machineKeyHeader,
    },
    person: { agent_id: 'dana', tenant: 'acme', token: files.humanToken },
  }
}

/** `sallyport dev` */
export async function dev(io: Terminal, options: DevOptions): Promise<number> {
  // Before anything is there to clean up; a closed terminal counts, because the folder holds keys.
  const stopped = untilSignal(['SIGINT', 'SIGTERM', 'SIGHUP'])
  const note = (line: object) => io.say(JSON.stringify(line))
  const started = await startDev(options, { environment: process.env, note })
  if (io.json) io.data(describeDev(started.running, started.files))
  else greet(io, started, options)
  await stopped
  await started.stop()
  return 0
}

function greet(io: Terminal, { running, files }: Dev, options: DevOptions): void {
  const kept =
    options.dir === undefined ? 'everything is lost on exit (--dir DIR keeps it)' : `kept in ${files.folder}`
  io.say(`${paint('yellow', 'development', process.stderr)}  loopback only, own CA, own issuer; ${kept}`)
  io.say('')
  io.say(`  machine   ${running.machineUrl}    docs ${running.machineUrl}/docs`)
  io.say(`  human     ${running.humanUrl}`)
  io.say(`  contract  ${files.contract}`)
  io.say(`  agent     agent-7 of acme: ${files.certificate}, ${files.machineKey}`)
  io.say(`  person    dana of acme: ${files.humanToken}`)
  io.say(`  log key   ${running.assembled.log.vkey}`)
  const issuer = running.assembled.broker.authorities()[0]?.issuer ?? running.machineUrl
  if (issuer !== running.machineUrl)
    io.say(
      `  tokens    name ${issuer}, as the contract says; start with its port and their metadata is there`,
    )
  io.say('')
  io.say('Next, in another terminal:')
  io.say(`  export SALLYPORT_DEV=${pathWord(files.folder)}`)
  io.say('  sallyport request orders-api read-order order-7')
  io.say("  sallyport request orders-api 's3:*' '*'")
  io.say('  sallyport run --service orders-api --action read-order --resource order-7 -- env')
  io.say('  sallyport lease list')
  io.say('  sallyport audit tail')
}
