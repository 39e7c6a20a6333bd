import { type Contract, endpointMatches, requireEnvironment, resolveMode } from '../contract/index.ts'
import { createPlaneMap, headerOf, type PlaneMap, readPath } from '../planes/index.ts'
import { Failure, Secret } from '../primitives/index.ts'
import { read } from './connection.ts'

/** What a service is tried with. */
export type ProbeMeans = {
  readonly mode?: string
  /** Plane to the file of a valid credential. */
  readonly credential: ReadonlyMap<string, string>
  readonly without?: readonly string[]
  /** Glob to a real path. */
  readonly path: ReadonlyMap<string, string>
}

/** The planes of the service in its mode, or else in that of this environment. */
export function mapOf(
  contract: Contract,
  { mode: named, variables }: { mode?: string; variables: Readonly<Record<string, string | undefined>> },
): PlaneMap {
  const mode = named ?? resolveMode(contract, variables).name
  if (!contract.modes.has(mode))
    throw new Failure('option_invalid', `The contract ${contract.file} has no mode ${mode}.`, {
      next: `name one of ${[...contract.modes.keys()].join(', ')}`,
    })
  return createPlaneMap({ contract, mode, variables })
}

/** A valid credential for every plane that is reached by HTTP, or its waiver: a crossing that was not tried must not look like none. */
export function credentialsOf(contract: Contract, options: ProbeMeans): ReadonlyMap<string, Secret> {
  const planes = [...requireEnvironment(contract).planes.values()].filter(
    (plane) => headerOf(plane) !== undefined,
  )
  const names = planes.map(({ name }) => name)
  const unknown = [...options.credential.keys(), ...(options.without ?? [])].find(
    (name) => !names.includes(name),
  )
  if (unknown !== undefined)
    throw new Failure(
      'option_invalid',
      `${unknown} is no plane with a credential; there are ${names.join(', ')}.`,
    )
  const missing = names.find((name) => !options.credential.has(name) && !options.without?.includes(name))
  if (missing !== undefined)
    throw new Failure(
      'option_invalid',
      `No credential of the plane ${missing} was named, so no crossing by it can be tried.`,
      {
        next: `give --credential ${missing}=FILE, or --without ${missing}`,
      },
    )
  return new Map([...options.credential].map(([plane, file]) => [plane, credentialIn(file)]))
}

/** Real paths by glob. One that the planes do not route there would leave the endpoint untried, and what was not tried must not look well. */
export function pathsOf(
  contract: Contract,
  map: PlaneMap,
  { path: paths }: ProbeMeans,
): ReadonlyMap<string, string> {
  const { planes, gates } = requireEnvironment(contract)
  for (const [glob, path] of paths) {
    const isGate = [...gates.values()].some(({ endpoints }) => endpoints.has(glob))
    if (!isGate && ![...planes.values()].some(({ endpoints }) => endpoints.includes(glob)))
      throw new Failure('option_invalid', `--path names ${glob}, which is no endpoint of ${contract.file}.`, {
        next: 'write it as it stands there, under a plane or a gate',
      })
    const plain = readPath(path)
    if (plain === undefined || !endpointMatches(glob, plain))
      throw new Failure('option_invalid', `${path} is no path of ${glob}.`, {
        next: 'begin with `/`, and fill in each `*` alone',
      })
    if (!isGate && map.route('GET', path).kind !== 'plane')
      throw new Failure('option_invalid', `${path} belongs to no plane in ${map.mode}.`, {
        next: 'name one that no closed gate has, or leave --path out',
      })
  }
  return paths
}

/** What no header can hold would be refused by nobody, and look like a service that does not answer. */
function credentialIn(file: string): Secret {
  const text = read(file).trim()
  if (/^[\x21-\x7e]+$/.test(text)) return new Secret(text)
  throw new Failure('option_invalid', `The file ${file} holds no credential: one line of printable ASCII.`)
}

/** Valid credentials are sent there. */
export function serviceAt(text: string): URL {
  const url = URL.parse(text)
  const isSafe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && /^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname))
  if (!url || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new Failure(
      'option_invalid',
      `${text} is no address of a service with https, or with http on loopback.`,
    )
  return url
}
