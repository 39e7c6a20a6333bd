import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type DevFiles, devFiles, keptIssuerPort, prepareDevFolder } from './dev-folder.ts'
import { type DevIssuer, startDevIssuer } from './dev-issuer.ts'
import { type RunningBroker, runBroker } from './running-broker.ts'
import { paint, type Terminal, untilSignal } from './terminal.ts'

export type DevOptions = {
  /** Absent is a temporary folder that is gone at the end. */
  readonly dir?: string
  readonly port: number
  readonly humanPort: number
  /** An administrator's URL of a PostgreSQL for the service `orders-db`. */
  readonly postgres?: string
}

/** A development broker that runs in this process. */
export type Dev = {
  readonly running: RunningBroker
  readonly files: DevFiles
  readonly issuer: DevIssuer
  readonly stop: () => Promise<void>
}

const humanTokenSeconds = 12 * 3600

/** Starts a broker on loopback with an own CA, an own issuer, and one agent and one person who may use it. */
export async function startDev(options: DevOptions, note: (line: object) => void): Promise<Dev> {
  const folder =
    options.dir === undefined ? mkdtempSync(join(tmpdir(), 'sallyport-dev-')) : resolve(options.dir)
  const files = devFiles(folder)
  const issuer = await startDevIssuer(keptIssuerPort(files))
  const remove = () =>
    options.dir === undefined ? rmSync(folder, { recursive: true, force: true }) : undefined
  try {
    const tls = await prepareDevFolder(files, {
      issuer: issuer.issuer,
      ...(options.postgres === undefined ? {} : { postgresUrl: options.postgres }),
    })
    writeFileSync(
      files.humanToken,
      await issuer.sign({ subject: 'dana', audience: 'sallyport', ttlSeconds: humanTokenSeconds }),
      { mode: 0o600 },
    )
    const running = await runBroker({
      contractFile: files.contract,
      dataFolder: files.data,
      environment: { SALLYPORT_MODE: 'local', SALLYPORT_DEV_POSTGRES: options.postgres },
      machine: { host: '127.0.0.1', port: options.port },
      human: { host: '127.0.0.1', port: options.humanPort },
      tls,
      note,
    })
    writeFileSync(join(folder, 'dev.json'), JSON.stringify(describeDev(running, files), null, 2))
    return {
      running,
      files,
      issuer,
      async stop() {
        await running.stop()
        await issuer.stop()
        remove()
      },
    }
  } catch (thrown) {
    await issuer.stop()
    remove()
    throw thrown
  }
}

/** What a script needs to go on; the one line of `sallyport dev --json`, and `dev.json` in the folder. */
export function describeDev(running: RunningBroker, files: DevFiles) {
  return {
    machine_url: running.machineUrl,
    human_url: running.humanUrl,
    mode: running.assembled.mode.name,
    folder: files.folder,
    contract: files.contract,
    ca: files.ca,
    log_key: running.assembled.log.vkey,
    agent: {
      agent_id: 'agent-7',
      tenant: 'acme',
      certificate: files.certificate,
      certificate_key: files.certificateKey,
      machine_key: files.machineKey,
      machine_key_header: running.assembled.contract.machineKeyHeader,
    },
    person: { agent_id: 'dana', tenant: 'acme', token: files.humanToken },
  }
}

/** `sallyport dev` */
export async function dev(io: Terminal, options: DevOptions): Promise<number> {
  const started = await startDev(options, (line) => io.say(JSON.stringify(line)))
  const about = describeDev(started.running, started.files)
  if (io.json) io.out(JSON.stringify(about))
  else greet(io, about, options)
  await untilSignal()
  await started.stop()
  return 0
}

function greet(io: Terminal, about: ReturnType<typeof describeDev>, options: DevOptions): void {
  const kept =
    options.dir === undefined ? 'everything is lost on exit (--dir DIR keeps it)' : `kept in ${about.folder}`
  io.say(`${paint('yellow', 'development', process.stderr)}  loopback only, own CA, own issuer; ${kept}`)
  io.say('')
  io.say(`  machine   ${about.machine_url}    docs ${about.machine_url}/docs`)
  io.say(`  human     ${about.human_url}`)
  io.say(`  contract  ${about.contract}`)
  io.say(`  agent     agent-7 of acme: ${about.agent.certificate}, ${about.agent.machine_key}`)
  io.say(`  person    dana of acme: ${about.person.token}`)
  io.say('')
  io.say('Next, in another terminal:')
  io.say(`  export SALLYPORT_DEV=${about.folder}`)
  io.say('  sallyport request orders-api read-order order-7')
  io.say("  sallyport request orders-api 's3:*' '*'")
  io.say('  sallyport lease list')
  io.say('  sallyport audit tail')
}
