#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander'
import { Failure } from '../primitives/index.ts'
import { contractCommands } from './contract-commands.ts'
import { checking, environmentCommands } from './environment-commands.ts'
import { exitCodes } from './exit-code.ts'
import { hygieneCommands } from './hygiene-commands.ts'
import { migrateCommands } from './migrate-commands.ts'
import { planesCommands } from './planes-commands.ts'
import { demandingWitnesses, proofCommands, witnessed } from './proof-commands.ts'
import { type Terminal, type Told, tell, terminal } from './terminal.ts'
import { usageErrors } from './usage-errors.ts'
import { version } from './version.ts'

type Work = (io: Terminal) => Promise<number> | number

// Each command is loaded when it is called: asking for a credential must not wait for a server to be read.

/** Runs one command and turns what it throws into words and an exit code. */
async function perform(options: { json?: boolean }, work: Work): Promise<void> {
  const io = terminal(options)
  try {
    process.exitCode = await work(io)
  } catch (thrown) {
    process.exitCode = await tellThrown(io, thrown)
  }
}

async function tellThrown(io: Terminal, thrown: unknown): Promise<number> {
  if (!(thrown instanceof Failure)) return tell(io, await toldOf(thrown))
  return thrown.code === 'contract_invalid'
    ? (await import('./contract-problems.ts')).tellContract(io, thrown)
    : tell(io, thrown)
}

/** What the broker advises in the words of HTTP, in those of the command line. */
const nextHere: Readonly<Record<string, string>> = {
  request_invalid: 'the same command with --help says what it takes',
  lease_unknown: 'sallyport lease list',
}

async function toldOf(thrown: unknown): Promise<Told> {
  const { SallyportError } = await import('../../client/src/index.ts')
  if (thrown instanceof SallyportError)
    return { code: thrown.code, message: thrown.message, next: nextHere[thrown.code] ?? thrown.next }
  const internal = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : 'no error was thrown'
  return { code: 'internal', message: 'The command failed in a way that nobody foresaw.', internal }
}

function whole(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

function port(text: string): number {
  const number = whole(text)
  if (number <= 65_535) return number
  throw new InvalidArgumentError('It must be a port from 0 to 65535.')
}

/** The options of every command that talks to a broker. */
function connected(command: Command): Command {
  return command
    .option('--dev <folder>', 'the folder of a development broker (SALLYPORT_DEV)')
    .addOption(new Option('--as <who>', 'in a development folder: who calls').choices(['agent', 'person']))
    .option('--url <url>', 'of the listener (SALLYPORT_URL)')
    .option('--ca <file>', "the CA of the broker's certificate (SALLYPORT_CA)")
    .option('--cert <file>', 'client certificate (SALLYPORT_CERT)')
    .option('--cert-key <file>', 'its key (SALLYPORT_CERT_KEY)')
    .option('--key-file <file>', 'machine key (SALLYPORT_KEY_FILE)')
    .option('--key-header <name>', "the contract's header for machine keys (SALLYPORT_KEY_HEADER)")
    .option('--token-file <file>', 'platform or human token (SALLYPORT_TOKEN_FILE)')
    .option('--json', 'machine-readable output')
}

function asking(command: Command): Command {
  return connected(command)
    .argument('[service]', 'a service of the contract')
    .argument('[action]', 'one action of it')
    .argument('[resource]', 'one resource')
    .option('--credential-ref <ref>', 'a reference of the contract, in place of these three')
    .option('--duration <time>', 'such as 5m; the default is the contract’s')
    .option('--purpose <text>', 'for the log')
}

function filtered(command: Command): Command {
  return connected(command)
    .option('--tenant <name>', 'of this tenant')
    .option('--agent <name>', 'of this agent')
    .option('--service <name>', 'for this service')
    .option('--mode <name>', 'of this mode')
}

export function program(): Command {
  const sallyport = new Command('sallyport')
    .description('An environment contract and a zero-trust credential broker.')
    .version(version)
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false })
    .configureOutput(usageErrors(process.argv.slice(2)))
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : exitCodes.usage[0]))
    .addHelpText('after', `\n${firstWords}\n\nExit codes:\n${exitCodeLines().join('\n')}`)
  brokerCommands(sallyport)
  callerCommands(sallyport)
  auditCommands(sallyport.command('audit').description('read, prove and verify the audit log'))
  proofCommands(sallyport, { perform, connected })
  contractCommands(sallyport, { perform })
  planesCommands(sallyport, { perform })
  environmentCommands(sallyport, { perform })
  migrateCommands(sallyport, { perform })
  hygieneCommands(sallyport, { perform })
  nameHelp(sallyport, 'sallyport')
  return sallyport
}

const firstWords = `First:
  sallyport demo                 the whole flow, in a minute
  sallyport dev                  a broker to try things on`

function exitCodeLines(): readonly string[] {
  return Object.values(exitCodes).map(([code, words]) => `  ${String(code).padStart(3)}  ${words}`)
}

/** After a wrong word each command points to its own help. */
function nameHelp(command: Command, name: string): void {
  command.showHelpAfterError(`Next: ${name} --help`)
  for (const child of command.commands) nameHelp(child, `${name} ${child.name()}`)
}

function brokerCommands(sallyport: Command): void {
  sallyport
    .command('demo')
    .description('a credential issued, used, denied, revoked, and the log verified')
    .option('--json', 'one line of JSON a step')
    .action((options) => perform(options, async (io) => (await import('./demo.ts')).demo(io)))
  witnessed(sallyport.command('dev'))
    .description('a broker on loopback with its own CA, issuer, agent and person')
    .option('--dir <folder>', 'keep everything here; the default is a temporary folder')
    .option('--port <port>', 'machine plane', port, 7420)
    .option('--human-port <port>', 'human plane', port, 7421)
    .option('--postgres <url>', 'an administrator’s URL, for a service orders-db')
    .option('--json', 'one line with addresses, files and a first identity')
    .action((options) => perform(options, async (io) => (await import('./dev.ts')).dev(io, options)))
  witnessed(sallyport.command('serve'))
    .description('the broker of one environment')
    .requiredOption('--contract <file>', 'the contract', 'sallyport.yaml')
    .requiredOption('--data <folder>', 'the store and keys, mode 0700', '.sallyport')
    .option('--machine <host:port>', 'machine plane', '127.0.0.1:7420')
    .option('--human <host:port>', 'human plane', '127.0.0.1:7421')
    .option('--tls-cert <file>', 'server certificate')
    .option('--tls-key <file>', 'its key')
    .option('--client-ca <file>', 'who signs client certificates')
    .addOption(new Option('--policy-bundle <file>', 'your own policy.wasm').conflicts('opaUrl'))
    .option('--opa-url <url>', 'an OPA server that decides')
    .option('--opa-token-file <file>', 'its bearer token')
    .option('--agent-rate <number>', 'requests in a second of one agent; the default is 200')
    .option('--tenant-rate <number>', 'of all agents of one tenant; the default is 2000')
    .option('--json', 'one line of JSON when it is ready')
    .action((options) => perform(options, async (io) => (await import('./serve.ts')).serve(io, options)))
  sallyport
    .command('policy-data')
    .description('what an OPA server is given as data for a contract')
    .requiredOption('--contract <file>', 'the contract', 'sallyport.yaml')
    .option('--json', 'it always is')
    .action((options) =>
      perform(options, async (io) =>
        (await import('./policy-data.ts')).printPolicyData(io, options.contract),
      ),
    )
  connected(sallyport.command('doctor').description('what is right and wrong here'))
    .option('--contract <file>', 'check this contract')
    .option('--data <folder>', 'check this data folder')
    .action((options) => perform(options, async (io) => (await import('./doctor.ts')).doctor(io, options)))
  sallyport
    .command('key')
    .description('machine keys')
    .command('new')
    .description('a new key, shown once, and its hash for the contract')
    .option('--json', 'machine-readable output')
    .action((options) => perform(options, async (io) => (await import('./key.ts')).newKey(io)))
}

function callerCommands(sallyport: Command): void {
  asking(sallyport.command('request').description('ask for a credential'))
    .option('--idempotency-key <key>', 'the same key never mints twice')
    .action((service, action, resource, options) =>
      perform(options, async (io) =>
        (await import('./request.ts')).request(io, [service, action, resource], options),
      ),
    )
  asking(
    sallyport.command('explain').description('what would be decided, and why; nothing is minted'),
  ).action((service, action, resource, options) =>
    perform(options, async (io) =>
      (await import('./request.ts')).explain(io, [service, action, resource], options),
    ),
  )
  checking(
    connected(
      sallyport
        .command('run')
        .description(
          'check the environment and become a command; or run it with a credential, until it ends',
        ),
    ),
  )
    .option('--service <name>', 'with a credential: a service of the contract')
    .option('--action <name>', 'one action of it')
    .option('--resource <name>', 'one resource')
    .option('--credential-ref <ref>', 'a reference of the contract, in place of these three')
    .option('--duration <time>', 'such as 5m')
    .option('--purpose <text>', 'for the log')
    .option('--keep <name...>', 'pass these variables on to the command')
    .option('--pristine', 'pass on only what the contract declares')
    .option('--redact', 'take the values of sensitive variables out of what the command writes')
    .argument('<command...>', 'the command and its words; what stands here is not read as an option')
    .passThroughOptions()
    .action((command, options) =>
      perform(options, async (io) => (await import('./run.ts')).run(io, command, options)),
    )
  const lease = sallyport.command('lease').description('live and past credentials')
  filtered(lease.command('list').description('newest first'))
    .addOption(new Option('--state <state>').choices(['intended', 'live', 'ending', 'ended', 'failed']))
    .option('--limit <count>', 'how many', whole)
    .option('--after <lease>', 'the page after this one')
    .action((options) => perform(options, async (io) => (await import('./lease.ts')).listLeases(io, options)))
  filtered(lease.command('revoke').description('end one lease, or all that match'))
    .argument('[lease]', 'its id')
    .action((id, options) =>
      perform(options, async (io) => (await import('./lease.ts')).revokeLeases(io, id, options)),
    )
  connected(
    sallyport.command('rotate').description('rotate a provider’s own secret (human plane, role platform)'),
  )
    .argument('<provider>', 'its name in the contract')
    .argument('<target>', 'such as signing-key, or a role')
    .action((provider, target, options) =>
      perform(options, async (io) => (await import('./rotate.ts')).rotate(io, { provider, target }, options)),
    )
}

function auditCommands(command: Command): void {
  connected(command.command('tail').description('the newest entries'))
    .option('--count <count>', 'how many', whole, 20)
    .option('--follow', 'go on as they come')
    .action((options) => perform(options, async (io) => (await import('./audit.ts')).tail(io, options)))
  connected(command.command('show').description('one entry'))
    .argument('<index>', 'its position', whole)
    .action((index, options) =>
      perform(options, async (io) => (await import('./audit.ts')).show(io, index, options)),
    )
  connected(command.command('prove').description('that an entry is in the log of the newest checkpoint'))
    .argument('<index>', 'its position', whole)
    .option('--log-key <vkey>', 'the log’s public key, pinned by you (SALLYPORT_LOG_KEY)')
    .action((index, options) =>
      perform(options, async (io) => (await import('./audit.ts')).prove(io, index, options)),
    )
  connected(command.command('export').description('the whole log to a file, for offline verification'))
    .argument('<file>', 'it must not hold anything you need')
    .action((file, options) =>
      perform(options, async (io) => (await import('./audit.ts')).exportTo(io, file, options)),
    )
  demandingWitnesses(command.command('verify'))
    .description('verify an exported log offline')
    .argument('<file>')
    .option('--log-key <vkey>', 'the log’s public key, pinned by you (SALLYPORT_LOG_KEY)')
    .option('--earlier-key <vkey...>', 'of epochs before the log was restored')
    .option('--dev <folder>', 'the folder of a development broker, which knows the key (SALLYPORT_DEV)')
    .option('--checkpoint <file>', 'a checkpoint kept elsewhere, which the log must hold')
    .option('--json', 'machine-readable output')
    .action((file, options) =>
      perform(options, async (io) => (await import('./audit.ts')).verifyFile(io, file, options)),
    )
}

if (import.meta.main) await program().parseAsync()
