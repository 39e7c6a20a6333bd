import { type Command, Option } from 'commander'
import type { CompileTarget } from '../compiler/index.ts'
import { Failure } from '../primitives/index.ts'
import type { CommandFrame } from './proof-commands.ts'

/** The commands that hold an environment against a contract: `check` and `compile`. */
export function environmentCommands(sallyport: Command, { perform }: Pick<CommandFrame, 'perform'>): void {
  checking(sallyport.command('check'))
    .description('hold the environment against the contract; every problem at once, and 78 for a refusal')
    .addOption(
      new Option('--format <format>', 'how it is told')
        .choices(['text', 'json', 'sarif', 'github'])
        .default('text'),
    )
    .argument('[command...]', 'which scope it is for; it is not started')
    .passThroughOptions()
    .action((command, options) =>
      perform({ json: options.format === 'json' || options.format === 'sarif' }, async (io) => {
        refuseBareWords(command)
        return (await import('./check.ts')).checkCommand(io, command, options)
      }),
    )
  sallyport
    .command('compile')
    .description('a contract as a standalone guard, as types, as an example file or as words')
    .addOption(new Option('--target <target>', 'what it becomes').choices(targets).makeOptionMandatory())
    .option('--contract <file>', 'the contract; sallyport.yaml')
    .option('--scope <scope>', 'json-schema: of a process of this scope')
    .option('--mode <mode>', 'env-example: with what this mode fixes')
    .option('--out <file>', 'instead of standard output')
    .action((options) =>
      perform({}, async (io) => (await import('./compile.ts')).compileCommand(io, options)),
    )
}

/** `check other.yaml` would say of another contract that all is well. */
function refuseBareWords(command: readonly string[]): void {
  if (command.length === 0 || process.argv.includes('--')) return
  throw new Failure('option_invalid', 'The command that is checked stands behind `--`.', {
    next: 'sallyport check -- COMMAND, or sallyport check --contract FILE',
  })
}

// Written out, because the list itself stands among everything that compiles.
const targets = [
  'js',
  'ts',
  'sh',
  'python',
  'json-schema',
  'env-example',
  'markdown',
  'agents-md',
] satisfies readonly CompileTarget[]

/** Adds the options of every command that checks an environment. */
export function checking(command: Command): Command {
  return (
    command
      .option('--contract <file>', 'the contract; sallyport.yaml')
      .option('--compiled <file>', 'its guard, compiled to js: nothing of YAML is read')
      .option('--scope <scope>', 'what the process is about to do, such as runtime or migrate')
      // Not `--env-file`: Node takes that for itself, wherever it stands, and obeys a NODE_OPTIONS in it.
      .option(
        '--env <file>',
        'variables beside those of the shell, which win; {mode} is the mode in lower case',
        collect,
      )
  )
}

function collect(file: string, files: readonly string[] = []): readonly string[] {
  return [...files, file]
}
