import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A bound of the sources, by its file and name; a field of a group is `group.field`. */
export type NamedLimit = { readonly path: string; readonly name: string; readonly value: number }

/** Tests, and the rooms that read files for somebody in front of a terminal. */
const notBroker = /\.(?:test|fixture)\.ts$|^src\/(?:testing|cli|compiler|guard|hygiene|references)\//

/** Every number in the sources of the broker whose name says that it is a bound. Times without a `Max` are paces, and no bounds. */
export function namedLimits(root: string): readonly NamedLimit[] {
  const paths = globSync('src/**/*.ts', { cwd: root }).filter((path) => !notBroker.test(path))
  return paths.sort().flatMap((path) => {
    const text = withoutComments(readFileSync(join(root, path), 'utf8'))
    return [...constants(text), ...groups(text)]
      .filter(([name]) => isBound(name))
      .flatMap(([name, written]) => {
        const value = numberOf(written)
        return value === undefined ? [] : [{ path, name, value }]
      })
  })
}

function isBound(name: string): boolean {
  const last = name.split('.').at(-1) ?? ''
  return (
    /(?:Max|Min|Each|Burst|PerSecond|AtOnce|Failures|Concurrency|BeforeAlert)$/.test(last) ||
    /^(?:starts|waiting|mints)/.test(last)
  )
}

type Written = readonly [name: string, value: string]

function constants(text: string): readonly Written[] {
  return [...text.matchAll(/^(?:export )?const (\w+)(?:: [\w]+)? = ([^\n]+)$/gm)].map(
    ([, name = '', value = '']): Written => [name, value],
  )
}

/** The fields of objects that are called limits, also of those in them. */
function groups(text: string): readonly Written[] {
  return [
    ...text.matchAll(
      /^(?:export )?const (\w*[lL]imits)\b[^=\n]*= \{(.*?)^\}|^(?:export )?const (\w*[lL]imits) = \{([^\n]*)\}/gms,
    ),
  ].flatMap(([, long, lines, short, line]) =>
    [...(lines ?? line ?? '').matchAll(/(\w+): ([\d_][\d_ *.]*)/g)].map(
      ([, field = '', value = '']): Written => [`${long ?? short}.${field}`, value],
    ),
  )
}

/** A number, or a product of numbers. */
function numberOf(written: string): number | undefined {
  const factors = written.replaceAll('_', '').trim().split(' * ')
  return factors.every((factor) => /^\d+(?:\.\d+)?$/.test(factor))
    ? factors.reduce((product, factor) => product * Number(factor), 1)
    : undefined
}

function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '')
}
