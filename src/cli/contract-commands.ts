import { type Command, Option } from 'commander'
import type { CommandFrame } from './proof-commands.ts'

/** The commands about a contract alone: `contract lint`, `contract diff` and `contract show`. */
export function contractCommands(sallyport: Command, { perform }: Pick<CommandFrame, 'perform'>): void {
  const contract = sallyport.command('contract').description('what a contract says, and whether it holds')
  contract
    .command('lint')
    .description('what is wrong with it, and what contradicts itself')
    .argument('[file]', 'the contract', 'sallyport.yaml')
    .option(
      '--source <folder>',
      'also look there for the files that it refers to, and into its example files',
    )
    .addOption(formatOption(['text', 'json', 'sarif']))
    .action((file, options) =>
      perform({ json: options.format !== 'text' }, async (io) =>
        (await import('./contract.ts')).lint(io, file, options),
      ),
    )
  contract
    .command('diff')
    .description('which rules got looser and which tighter; the owners of looser ones must approve')
    .argument('<before>', 'the contract as it was')
    .argument('<after>', 'the contract as it is to be')
    .option('--approved-by <owner...>', 'owners who agree to what got looser')
    .addOption(formatOption(['text', 'json']))
    .action((before, after, options) =>
      perform({ json: options.format !== 'text' }, async (io) =>
        (await import('./contract.ts')).diff(io, { before, after }, options),
      ),
    )
  contract
    .command('show')
    .description('what it says, as a whole or of one name')
    .argument('<file>', 'the contract')
    .argument('[name]', 'of a mode, variable, plane, gate, prohibition, secret path or database role')
    .option('--json', 'machine-readable output')
    .action((file, name, options) =>
      perform(options, async (io) => (await import('./contract.ts')).show(io, file, name)),
    )
}

function formatOption(choices: readonly string[]): Option {
  return new Option('--format <format>', 'how it is told').choices(choices).default('text')
}
