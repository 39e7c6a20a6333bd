import { join } from 'node:path'
import type { FloorOrder } from './floor.ts'
import { cores, type Pinned, startPinned } from './pinned.ts'

const program = join(import.meta.dirname, 'floor.ts')

/** Starts a floor on the server's core. */
export async function startFloor(
  world: AsyncDisposableStack,
  order: FloorOrder,
): Promise<{ readonly process: Pinned; readonly port: number }> {
  const process_ = startPinned([process.execPath, program, JSON.stringify(order)], { core: cores.server })
  world.defer(() => process_.stop())
  return { process: process_, port: Number(await process_.line()) }
}
