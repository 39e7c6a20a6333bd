import { type Contract, endpointMatches, requireEnvironment } from '../contract/index.ts'
import { finding, type HygieneFinding } from './finding.ts'
import { searchExpression } from './search-expression.ts'
import type { Code } from './source-detector.ts'

/**
 * Gates that the contract does not list (seed 003 §11): a path beside the gated ones, such as `/__debug/other`, and code that asks for
 * the mode outside the files that a gate refers to.
 */
export function findGates(contract: Contract, source: Code): readonly HygieneFinding[] {
  return [...unlistedPaths(contract, source), ...modeBranches(contract, source)]
}

function unlistedPaths(contract: Contract, { path, lines }: Code): readonly HygieneFinding[] {
  const endpoints = [...requireEnvironment(contract).gates.values()].flatMap((gate) => [
    ...gate.endpoints.keys(),
  ])
  // The first name of a gated path, where it is not that of the planes' own: `/api` says nothing.
  const open = [...requireEnvironment(contract).planes.values()].flatMap((plane) =>
    plane.endpoints.map(firstName),
  )
  const heads = new Set(endpoints.map(firstName).filter((head) => head !== '' && !open.includes(head)))
  return lines.flatMap((line, at) =>
    [...line.matchAll(/["'`](\/[\w./{}:*-]{1,255})["'`]/g)].flatMap(([, written = '']) => {
      const isListed = endpoints.some(
        (endpoint) => endpoint === written || endpointMatches(endpoint, written),
      )
      const isBeside = heads.has(firstName(written)) && written !== `/${firstName(written)}`
      if (!isBeside || isListed) return []
      const made = finding(
        {
          code: 'gate-unlisted',
          severity: 'high',
          message: `${written} stands beside gated paths, and no gate of the contract lists it.`,
          file: path,
          line: at + 1,
          next: 'list it under `gates` with its reason, or take it out',
        },
        written,
      )
      return [made]
    }),
  )
}

function firstName(path: string): string {
  return path.split('/')[1] ?? ''
}

function modeBranches(contract: Contract, { path, lines }: Code): readonly HygieneFinding[] {
  const references = [...requireEnvironment(contract).gates.values()].map(({ reference }) => reference ?? '')
  if (
    references.some(
      (reference) =>
        reference === path ||
        reference.endsWith(`/${path}`) ||
        (path.endsWith(`/${reference}`) && reference !== ''),
    )
  )
    return []
  const patterns = contract.discriminators.map((name) => ({
    name,
    expression: comparisonOf(
      name,
      [...contract.modes.values()].flatMap(({ match }) => match[name] ?? []),
    ),
  }))
  return lines.flatMap((line, at) =>
    patterns
      .filter(({ expression }) => expression.test(line))
      .map(({ name }) =>
        finding(
          {
            code: 'mode-branch',
            severity: 'low',
            message: `The code asks for ${name} itself, and no gate of the contract refers to this file.`,
            variable: name,
            file: path,
            line: at + 1,
            next: 'make it a gate of the contract with its reason, or let a variable of its own decide',
          },
          line,
        ),
      ),
  )
}

/** A comparison of a discriminator with one of its values, whoever stands first, also behind an empty default and calls such as `.lower()`. */
function comparisonOf(name: string, values: readonly string[]): RegExp {
  const written = [...new Set(values)].map((value) => value.replace(/[^\w-]/g, '\\$&')).join('|')
  const text = `["'](?:${written})["']`
  const operator = '(?:={2,3}|!={1,2}|-eq|-ne|\\bin\\b|\\bnot in\\b|\\bis\\b)'
  const call = '\\.(?:equals(?:IgnoreCase)?|eql\\?|starts_?with\\??|includes|contains)\\('
  const fallback = '(?:\\s*,[^()]{0,64}\\)|\\s*(?:\\?\\?|\\|\\||\\bor\\b)\\s*["\'][^"\']{0,32}["\']\\s*\\))?'
  const read = `\\b${name}\\b["'\`\\])}]*${fallback}(?:[?&]?\\.\\w{1,32}(?:\\(\\))?){0,4}`
  return searchExpression(
    [
      `${read}\\s*(?:${operator}|[?&]?${call})\\s*(?:[([{]\\s*)?${text}`,
      `${text}[\\])]*\\s*(?:${operator}|${call})\\s*\\S{0,64}\\b${name}\\b`,
      `\\bEqualFold\\([^,]{0,64}\\b${name}\\b["'\`\\])]*\\s*,\\s*${text}`,
      // The single sign of `[` and `test` in a shell, where the quotes may lack; but for what a compiled guard itself asks.
      `(?:\\[|\\btest)\\s[^=]{0,64}\\b${name}\\b["}]*\\s+!?={1,2}\\s+["']?(?:${written})\\b(?!.*\\b_sp_mode=)`,
    ].join('|'),
    'i',
  )
}
