import { parseArgs } from 'node:util'
import { setStage } from './stage.ts'

type Named = { readonly name: string; readonly title: string }

/** What a command offers. */
export type Offer<One extends Named> = {
  /** What one of them is called, such as `bench`; also the npm script. */
  readonly noun: string
  readonly all: readonly One[]
  /** Options that are there or not, each with what it does. `--help` is always one. */
  readonly flags: Readonly<Record<string, string>>
  /** An option that, without a name, chooses all of them. */
  readonly allWith?: string
}

export type Choice<One> = { readonly chosen: readonly One[]; readonly flags: ReadonlySet<string> }

/** Runs what this process's command line chooses, on a stage that is taken down after it; the exit code is what `work` gives. */
export async function runChosen<One extends Named>(
  offer: Offer<One>,
  work: (choice: Choice<One>) => Promise<number>,
): Promise<void> {
  const choice = choose(offer, process.argv.slice(2))
  if ('said' in choice) {
    const say = choice.code === 0 ? console.log : console.error
    say(choice.said)
    process.exitCode = choice.code
    return
  }
  setStage()
  process.exitCode = await work(choice)
}

/** What the words of a command line choose, each once and in the order of the offer; or what to say instead, and the code to exit with. */
export function choose<One extends Named>(
  offer: Offer<One>,
  words: readonly string[],
): Choice<One> | { readonly said: string; readonly code: 0 | 64 } {
  const { noun, all, allWith } = offer
  const read = readWords(offer, words)
  if (typeof read === 'string') return { said: read, code: 64 }
  const { names, flags } = read
  const unknown = names.filter((name) => name !== 'all' && !all.some((one) => one.name === name))
  if (unknown.length > 0)
    return {
      said: `npm run ${noun} has no ${unknown.join(', ')}: ${all.map(({ name }) => name).join(', ')}.`,
      code: 64,
    }
  const everyOne =
    names.includes('all') || (names.length === 0 && allWith !== undefined && flags.has(allWith))
  if (flags.has('help') || (names.length === 0 && !everyOne)) return { said: listOf(offer), code: 0 }
  return { chosen: everyOne ? all : all.filter(({ name }) => names.includes(name)), flags }
}

function readWords<One extends Named>({ noun, flags }: Offer<One>, words: readonly string[]) {
  const boolean = { type: 'boolean' } as const
  const options = Object.fromEntries([...Object.keys(flags), 'help'].map((name) => [name, boolean]))
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true })
    return { names: positionals, flags: new Set(Object.keys(values)) }
  } catch (thrown) {
    const [what = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('. ')
    return `${what}. \`npm run ${noun} -- --help\` says what there is.`
  }
}

function listOf<One extends Named>({ noun, all, flags }: Offer<One>): string {
  const width = Math.max(...all.map(({ name }) => name.length)) + 2
  return [
    ...all.map(({ name, title }) => name.padEnd(width) + title),
    '',
    `Run one with \`npm run ${noun} -- NAME\`, every one with \`npm run ${noun} -- all\`.`,
    ...Object.entries(flags).map(([name, what]) => `  --${name.padEnd(width - 2)}${what}`),
  ].join('\n')
}
