import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandFrame } from './proof-commands.ts'

/** The planes of the user's own service: `planes serve` and `planes probe`. */
export function planesCommands(sallyport: Command, { perform }: Pick<CommandFrame, 'perform'>): void {
  const planes = sallyport.command('planes').description('who may reach which endpoint of your own service')
  planes
    .command('serve')
    .description('answers a proxy about each request: nginx, Traefik, Envoy, Caddy')
    .requiredOption('--contract <file>', 'the contract', 'sallyport.yaml')
    .option('--trust <file>', 'issuers and hashes of keys that the contract does not have')
    .option('--listen <host:port>', 'where', '127.0.0.1:7423')
    .option('--json', 'one line of JSON when it is ready')
    .action((options) =>
      perform(options, async (io) => (await import('./planes-serve.ts')).servePlanes(io, options)),
    )
  probing(planes.command('probe'))
    .description('tries each endpoint without a credential, with its own and with the other plane’s')
    .argument('<url>', 'of the service; https, or loopback')
    .requiredOption('--contract <file>', 'the contract', 'sallyport.yaml')
    .addOption(new Option('--format <name>').choices(['text', 'json', 'sarif']).default('text'))
    .action((url, options) =>
      perform({ json: options.format !== 'text' }, async (io) =>
        (await import('./planes-probe.ts')).probePlanes(io, url, options),
      ),
    )
}

/** Adds what a service is tried with. */
export function probing(command: Command): Command {
  return command
    .option('--mode <name>', 'the mode of the service; absent, that of this environment')
    .option('--credential <plane=file>', 'a valid credential of that plane', pair, new Map())
    .option('--without <plane...>', 'planes of which there is none: what would need it is left out')
    .option('--path <glob=path>', 'a real path for an endpoint of the contract', pair, new Map())
}

function pair(text: string, earlier: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  const name = text.slice(0, at)
  if (earlier.has(name)) throw new InvalidArgumentError(`${name} is named twice.`)
  return new Map([...earlier, [name, text.slice(at + 1)]])
}
