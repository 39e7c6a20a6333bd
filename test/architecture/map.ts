/** What `ARCHITECTURE.md` says of one room. */
export type Room = {
  readonly name: string
  /** `src/broker/`, `client/src/`. */
  readonly folder: string
  readonly mayImport: readonly string[]
  readonly packages: readonly string[]
  readonly pure: boolean
  readonly reveals: boolean
}

/** Path from the repository's root to text; every file that the checks look at. */
export type Tree = ReadonlyMap<string, string>

/** What a check reports. */
export type Finding = { readonly place: string; readonly message: string }

/** Reads the table under "Who may import whom". Throws when it is not there or a row cannot be read. */
export function readRooms(architecture: string): readonly Room[] {
  const rows = architecture.split('\n').filter((line) => /^\| `/.test(line) && line.split('|').length === 7)
  if (rows.length === 0)
    throw new Error(
      'ARCHITECTURE.md has no table of rooms with six bars: | room | may import | packages | pure | reveals |',
    )
  const rooms = rows.map(readRow)
  for (const room of rooms)
    for (const name of room.mayImport)
      if (!rooms.some((other) => other.name === name))
        throw new Error(`ARCHITECTURE.md lets ${room.name} import ${name}, which is no room.`)
  return rooms
}

function readRow(row: string): Room {
  const [name = '', mayImport = '', packages = '', pure = '', reveals = ''] = row.split('|').slice(1, -1)
  const room = ticked(name)[0] ?? ''
  return {
    name: room,
    folder: room === 'client' ? 'client/src/' : `src/${room}/`,
    mayImport: ticked(mayImport),
    packages: ticked(packages),
    pure: yesOrDash(pure, row),
    reveals: yesOrDash(reveals, row),
  }
}

function ticked(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}

function yesOrDash(cell: string, row: string): boolean {
  const word = cell.trim()
  if (word !== 'yes' && word !== '—')
    throw new Error(`ARCHITECTURE.md: a cell is neither "yes" nor a dash: ${row}`)
  return word === 'yes'
}

/** The room a file stands in, if any. */
export function roomOf(rooms: readonly Room[], path: string): Room | undefined {
  return rooms.find((room) => path.startsWith(room.folder))
}

/** `src/adapters/<port>/<name>/` of a file inside an adapter. */
export function adapterOf(path: string): string | undefined {
  return /^src\/adapters\/[^/]+\/[^/]+\//.exec(path)?.[0]
}

/** A test, or what only tests use: it may point anywhere, and nothing that ships may point to it. */
export function isTest(path: string): boolean {
  return /\.(?:test|fixture)\.ts$/.test(path)
}

/** The TypeScript files under `src/` and `client/src/`. */
export function* sourcePaths(tree: Tree): Generator<string> {
  for (const path of tree.keys()) if (/^(client\/)?src\/.*\.ts$/.test(path)) yield path
}
