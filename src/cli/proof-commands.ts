import { type Command, InvalidArgumentError } from 'commander'
import type { Terminal } from './terminal.ts'

/** How every command runs and how one that talks to a broker is told where it is. */
export type CommandFrame = {
  readonly perform: (
    options: { json?: boolean },
    work: (io: Terminal) => Promise<number> | number,
  ) => Promise<void>
  readonly connected: (command: Command) => Command
}

/** The commands that keep the log's proof beyond this host: `witness`, `backup` and `restore`. */
export function proofCommands(sallyport: Command, { perform, connected }: CommandFrame): void {
  connected(
    sallyport
      .command('backup')
      .description('a copy of the store of a running broker (human plane, role platform)'),
  )
    .argument('<file>', 'it must not hold anything you need')
    .option('--log-key <vkey>', 'the log’s public key, pinned by you (SALLYPORT_LOG_KEY)')
    .action((file, options) =>
      perform(options, async (io) => (await import('./backup.ts')).backup(io, file, options)),
    )
  sallyport
    .command('restore')
    .description('a data folder from a backup; the log goes on as a new epoch')
    .argument('<file>', 'the backup')
    .requiredOption('--data <folder>', 'to be made; it must not hold anything')
    .option('--log-key <vkey>', 'the public key of the log that the backup is of (SALLYPORT_LOG_KEY)')
    .option('--epoch <number>', 'at least this one, when there were restorations after the backup', count)
    .option('--json', 'machine-readable output')
    .action((file, options) =>
      perform(options, async (io) => (await import('./backup.ts')).restore(io, file, options)),
    )
  witnessCommands(
    sallyport.command('witness').description('cosign the logs of brokers, on another host'),
    perform,
  )
}

function witnessCommands(witness: Command, perform: CommandFrame['perform']): void {
  witness
    .command('serve')
    .description('refuses a log that forked or shrank (C2SP tlog-witness)')
    .requiredOption('--key <file>', 'the private key of the witness')
    .requiredOption('--state <folder>', 'what it has seen; it must never be lost or copied')
    .requiredOption('--log <vkey...>', 'the public keys of the logs')
    .option('--listen <host:port>', 'where', '127.0.0.1:7422')
    .option('--tls-cert <file>', 'server certificate')
    .option('--tls-key <file>', 'its key')
    .option('--json', 'one line of JSON when it is ready')
    .action((options) =>
      perform(options, async (io) => (await import('./witness.ts')).serveWitness(io, options)),
    )
  witness
    .command('key')
    .description('keys of witnesses')
    .command('new')
    .description('a new key in a file, and its public key')
    .requiredOption('--name <name>', 'such as witness.example.org/w1')
    .requiredOption('--key <file>', 'where the private key goes')
    .option('--json', 'machine-readable output')
    .action((options) =>
      perform(options, async (io) => (await import('./witness.ts')).newWitnessKey(io, options)),
    )
}

/** Adds the options of a broker whose log is witnessed. */
export function witnessed(command: Command): Command {
  return command
    .option('--witness <url...>', 'cosigns the log’s checkpoints; each with its --witness-key')
    .option('--witness-key <vkey...>', 'in the same order')
    .option(
      '--witness-quorum <number>',
      'so many of them make a checkpoint a cosigned one; all of them',
      count,
    )
    .option('--witness-interval <time>', 'how often they are asked; 5s')
}

/** Adds the options of who demands cosignatures. */
export function demandingWitnesses(command: Command): Command {
  return command
    .option('--witness-key <vkey...>', 'a witness that must have cosigned')
    .option('--witness-quorum <number>', 'so many of them must have; all of them', count)
}

function count(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 on.')
}
