import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { adapterOf, type Finding, isTest, type Room, roomOf } from './map.ts'
import { type Arrow, arrowsOf, type Source } from './source.ts'

/** What a pure room may take from Node: functions that compute. Their impure members are words, which `words.ts` forbids. */
const computingModules = ['node:buffer', 'node:crypto', 'node:util']

/** Every arrow out of the file that the table of rooms does not have. A test may point anywhere but out of the map. */
export function checkArrows(rooms: readonly Room[], source: Source): readonly Finding[] {
  const room = roomOf(rooms, source.path)
  if (!room) return [{ place: source.path, message: 'stands in no room of ARCHITECTURE.md' }]
  return arrowsOf(source).flatMap((arrow) => {
    const message = checkArrow(rooms, room, source.path, arrow)
    return message ? [{ place: `${source.path}:${arrow.line}`, message }] : []
  })
}

function checkArrow(rooms: readonly Room[], room: Room, path: string, arrow: Arrow): string | undefined {
  const { target } = arrow
  if (isTest(path)) return undefined
  if (target === undefined) return 'imports what it computes: write the path, so that the arrow can be seen'
  if (target.startsWith('.')) return checkRelative(rooms, room, path, posix.join(posix.dirname(path), target))
  if (target.startsWith('node:')) return checkBuiltin(room, target)
  return checkPackage(room, target)
}

function checkRelative(rooms: readonly Room[], room: Room, path: string, to: string): string | undefined {
  if (isTest(to)) return `imports a test, ${to}`
  const other = roomOf(rooms, to)
  // The manifest says which version this is, and nothing else.
  if (to === 'package.json') return undefined
  if (!other) return `leaves the map: ${to} is in no room`
  if (other !== room && !room.mayImport.includes(other.name))
    return `${room.name} may not import ${other.name} (ARCHITECTURE.md)`
  return checkDoor(path, to, { from: room, into: other })
}

function checkDoor(path: string, to: string, rooms: { from: Room; into: Room }): string | undefined {
  const [from, into] = [adapterOf(path), adapterOf(to)]
  if (rooms.from === rooms.into && from === into) return undefined
  if (rooms.from === rooms.into && from && into) return `one adapter imports another: ${to}`
  const door = into ?? rooms.into.folder
  if (rooms.from !== rooms.into && to !== `${door}index.ts`)
    return `goes past the door ${door}index.ts to ${to}`
  return undefined
}

function checkBuiltin(room: Room, target: string): string | undefined {
  if (!builtinModules.includes(target.slice('node:'.length)) && !builtinModules.includes(target))
    return `${target} is not part of Node`
  if (room.pure && !computingModules.includes(target)) return `${room.name} is pure and imports ${target}`
  return undefined
}

function checkPackage(room: Room, target: string): string | undefined {
  const name = /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target
  return room.packages.includes(name)
    ? undefined
    : `${room.name} may not import the package ${name} (ARCHITECTURE.md)`
}
