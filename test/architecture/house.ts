import { adapterOf, type Finding, isTest, type Tree } from './map.ts'
import { arrowsOf, readSource } from './source.ts'

const drawers = /^(?:utils?|helpers?|common|libs?|core|misc|shared|services?|managers?)$/

/** Files and folders named for nothing. */
export function checkNames(path: string): readonly Finding[] {
  const parts = path.split('/').map((part) => part.split('.')[0] ?? '')
  const drawer = parts.find((part) => part.split('-').at(-1)?.match(drawers))
  return drawer ? [{ place: path, message: `${drawer} is a drawer: name it for the noun it holds` }] : []
}

/** A door is a list of exports from its own room. */
export function checkDoors(path: string, text: string): readonly Finding[] {
  if (!/^(client\/)?src\/(.*\/)?index\.ts$/.test(path)) return []
  const rest = readSource(path, text).bare.replace(
    /\bexport\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s*as\s+\w+)?)\s*from\s*(['"])\s*\1;?/g,
    '',
  )
  return rest.trim() === ''
    ? []
    : [{ place: path, message: 'a door holds exports from other files and nothing else' }]
}

/** Every adapter is named by the catalog, runs its conformance suite, has a door and, if it is a provider, a page. */
export function checkAdapters(tree: Tree): readonly Finding[] {
  const folders = new Set([...tree.keys()].flatMap((path) => adapterOf(path) ?? []))
  const catalogued = [...tree].flatMap(([path, text]) =>
    path.startsWith('src/catalog/') && !isTest(path)
      ? arrowsOf(readSource(path, text)).map((arrow) => arrow.target)
      : [],
  )
  const strays = [...tree.keys()].filter((path) => path.startsWith('src/adapters/') && !adapterOf(path))
  return [
    ...strays.map((place) => ({
      place,
      message: 'an adapter has a folder of its own: src/adapters/<port>/<name>/',
    })),
    ...[...folders].flatMap((folder) => checkAdapter(tree, folder, catalogued)),
  ]
}

function checkAdapter(
  tree: Tree,
  folder: string,
  catalogued: readonly (string | undefined)[],
): readonly Finding[] {
  const findings: Finding[] = []
  const [, , port = '', name = ''] = folder.split('/')
  const door = `../adapters/${port}/${name}/index.ts`
  if (!tree.has(`${folder}index.ts`)) findings.push({ place: folder, message: 'has no door, index.ts' })
  if (!catalogued.includes(door)) findings.push({ place: folder, message: 'is not in the catalog' })
  if (!runsConformance(tree, folder))
    findings.push({ place: folder, message: 'does not run the conformance suite of its port' })
  if (port === 'providers' && !tree.has(`docs/providers/${name}.md`))
    findings.push({ place: folder, message: `has no page, docs/providers/${name}.md` })
  return findings
}

/**
 * Whether a test takes something named `…Conformance` from `testing` and calls it: a test of the folder, or the catalog's test of the
 * port, where several adapters keep its promises together.
 */
function runsConformance(tree: Tree, folder: string): boolean {
  const together = `src/catalog/${folder.split('/')[2]}.test.ts`
  return [...tree].some(([path, text]) => {
    if (path !== together && !(path.startsWith(folder) && isTest(path))) return false
    const { code, bare } = readSource(path, text)
    const suites = code.matchAll(/\bimport\s*\{([^}]*)\}\s*from\s*'[./]+\/testing\/[\w-]+\.ts'/g)
    const names = [...suites].flatMap((match) => match[1]?.match(/\w+Conformance\b/g) ?? [])
    return names.some((name) => new RegExp(`\\b${name}\\s*\\(`).test(bare))
  })
}

/** Every failure code has its paragraph in `docs/errors.md` with the status that `server/http` gives it, and every paragraph there is a code. */
export function checkErrors(tree: Tree): readonly Finding[] {
  const list = /failureCodes = \[([^\]]*)\]/.exec(tree.get('src/primitives/failure.ts') ?? '')?.[1] ?? ''
  const codes = [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '')
  const told = statuses(tree.get('docs/errors.md') ?? '', /^### `(\w+)`\n\nStatus (\d{3})\. /gm)
  const table = /statusOf\b.*?\n\}/s.exec(tree.get('src/server/http/problem.ts') ?? '')?.[0] ?? ''
  const given = statuses(table, /^ {2}(\w+): (\d{3}),$/gm)
  const findings = [...new Set([...codes, ...told.keys()])].flatMap((code) => {
    if (!told.has(code)) return [`has no paragraph on ${code}`]
    if (!codes.includes(code)) return [`${code} is no failure code`]
    const differs = told.get(code) !== given.get(code)
    return differs ? [`says status ${told.get(code)} of ${code}, which has ${given.get(code)}`] : []
  })
  if (codes.length === 0) findings.push('is compared with no list of codes in src/primitives/failure.ts')
  return findings.map((message) => ({ place: 'docs/errors.md', message }))
}

function statuses(text: string, pattern: RegExp): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(pattern)].map(([, code = '', status = '']) => [code, status]))
}
