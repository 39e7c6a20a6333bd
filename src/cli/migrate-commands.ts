import type { Command } from 'commander'
import type { CommandFrame } from './proof-commands.ts'

/** `migrate`, and the process that it starts inside its network. */
export function migrateCommands(sallyport: Command, { perform }: Pick<CommandFrame, 'perform'>): void {
  sallyport
    .command('migrate')
    .description('run any migration tool on the database plane alone, as the database’s role allows')
    .option('--contract <file>', 'the contract; sallyport.yaml')
    .option('--env <file>', 'variables beside those of the shell, which win; {mode} is the mode', collect)
    .option('--unconfined', 'where the machine cannot confine: let the command reach more than the database')
    .option('--json', 'a refusal as one line of JSON')
    .argument('<command...>', 'such as alembic upgrade head; what stands here is not read as an option')
    .passThroughOptions()
    .action((command, options) =>
      perform(options, async (io) => (await import('./migrate.ts')).migrate(io, command, options)),
    )
  sallyport
    .command('confined', { hidden: true })
    .requiredOption('--relay <socket>')
    .requiredOption('--user <id>')
    .requiredOption('--group <id>')
    .option('--listen <place>', 'an address of the database', collect)
    .argument('<command...>')
    .passThroughOptions()
    .action((command, options) =>
      perform({}, async (io) => (await import('./confined.ts')).confined(io, command, options)),
    )
}

function collect(one: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, one]
}
