import { type Command, Option } from 'commander'
import { probing } from './planes-commands.ts'
import type { CommandFrame } from './proof-commands.ts'

/** What must not be: `prohibitions` in an environment and its sources, `validate` in a request for an adapter. */
export function hygieneCommands(sallyport: Command, { perform }: Pick<CommandFrame, 'perform'>): void {
  probing(sallyport.command('prohibitions'))
    .description(
      'what the contract forbids, guessed defaults and unlisted gates: in the environment, in sources, in a running service',
    )
    .option('--contract <file>', 'the contract', 'sallyport.yaml')
    .option('--source <folder>', 'read the sources below it; without it only the environment is looked at')
    .option('--probe <url>', 'try what a probe detects on the service there, as `planes probe` does')
    .option('--env <file>', 'variables beside those of the shell, which win; {mode} is the mode', collect)
    .option('--fingerprints <file>', 'keyed fingerprints of values of other modes')
    .option('--fingerprint-key <file>', 'their key, kept outside the repository')
    .option('--record', 'write the fingerprints of this mode’s values into that file, and check nothing')
    .option('--baseline <file>', 'findings that are accepted, each with its reason')
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 from this severity on')
        .choices(severities)
        .default('medium'),
    )
    .addOption(
      new Option('--format <format>', 'how it is told')
        .choices(['text', 'json', 'sarif', 'github'])
        .default('text'),
    )
    .action((options) =>
      perform({ json: options.format === 'json' || options.format === 'sarif' }, async (io) =>
        (await import('./prohibitions.ts')).prohibitions(io, options),
      ),
    )
  sallyport
    .command('validate')
    .description('a request for an adapter: no raw secret, a credential reference, an allowed auth mode')
    .argument('<request>', 'a file of JSON')
    .requiredOption('--adapter <name>', 'such as billing-ingest')
    .option('--contract <file>', 'the contract', 'sallyport.yaml')
    .option('--mode <name>', 'absent, that of this environment')
    .option('--json', 'machine-readable output')
    .action((file, options) =>
      perform(options, async (io) => (await import('./validate.ts')).validate(io, file, options)),
    )
}

const severities = ['low', 'medium', 'high', 'critical-violation', 'architecture-violation', 'security-bug']

function collect(file: string, files: readonly string[] = []): readonly string[] {
  return [...files, file]
}
