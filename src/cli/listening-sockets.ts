import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { resolve } from 'node:path'

export type ListeningSockets = {
  /** Where they are in the file system. */
  readonly paths: readonly string[]
  /** Those that cannot be found there, or not by all of their names, each with why. */
  readonly hidden: readonly string[]
}

/** Every socket in the file system to which somebody listens now, in this network. */
export function listeningSockets(): ListeningSockets {
  const paths = new Set<string>()
  const hidden = new Set<string>()
  const named = boundSockets()
  const unplaced = named.filter(({ name }) => !name.startsWith('/'))
  for (const { name } of named) if (name.startsWith('/')) paths.add(name)
  const places = unplaced.length === 0 ? new Map<string, string>() : placesOf(unplaced)
  // One of the names may be that of a connection, or of who has ended meanwhile.
  const still = new Set(unplaced.length === 0 ? [] : boundSockets().map(({ inode }) => inode))
  for (const { name, inode } of unplaced) {
    const place = places.get(inode)
    if (place !== undefined) paths.add(place)
    else if (still.has(inode)) hidden.add(`${name} was bound in a folder that is not known`)
  }
  for (const path of paths)
    if (namesOf(path) > 1) hidden.add(`${path} has another name (a hard link), which is not known`)
  return { paths: [...paths], hidden: [...hidden] }
}

type Bound = { readonly name: string; readonly inode: string }

/** The names are as they were bound, so one that is not absolute is of the folder where its process was then. Abstract ones are of a network. */
function boundSockets(): readonly Bound[] {
  const lines = readFileSync('/proc/net/unix', 'latin1').split('\n').slice(1)
  return lines.flatMap((line) => {
    const [, inode, name] = /^(?:\S+ +){6}(\d+) ([^@].*)$/.exec(line) ?? []
    return inode !== undefined && name !== undefined ? [{ inode, name }] : []
  })
}

/** By the inode in `/proc/net/unix`: whoever has the socket open is likely still where it bound it. */
function placesOf(sockets: readonly Bound[]): ReadonlyMap<string, string> {
  const names = new Map(sockets.map(({ inode, name }) => [`socket:[${inode}]`, { inode, name }]))
  const places = new Map<string, string>()
  for (const process of entriesOf('/proc').filter((one) => /^\d+$/.test(one)))
    for (const descriptor of entriesOf(`/proc/${process}/fd`)) {
      const socket = names.get(linkOf(`/proc/${process}/fd/${descriptor}`) ?? '')
      const folder = socket && linkOf(`/proc/${process}/cwd`)
      if (!socket || folder === undefined) continue
      const place = resolve(folder, socket.name)
      if (namesOf(place) > 0) places.set(socket.inode, place)
    }
  return places
}

/** How many names the socket there has; 0 where there is none. */
function namesOf(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isSocket() ? found.nlink : 0
}

// What is not there, not ours, or gone meanwhile says nothing.
function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
