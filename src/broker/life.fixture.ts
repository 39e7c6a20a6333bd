import fc from 'fast-check'
import { lifeCommand } from './life-commands.fixture.ts'
import { createWorld, type WorldKind, worldKinds } from './life-world.fixture.ts'

/** What happened in so many lives. */
export type Lived = {
  lives: number
  commands: number
  issued: number
  replayed: number
  ended: number
  deaths: number
}

/**
 * Lets brokers live through random commands and holds each after every command against the model, and at its end against all that is durable.
 * Throws what fast-check throws, with the shortest life in which something was wrong.
 */
export async function liveThrough(
  lives: number,
  onLife: (lived: Lived) => void = () => undefined,
): Promise<Lived> {
  const lived: Lived = { lives: 0, commands: 0, issued: 0, replayed: 0, ended: 0, deaths: 0 }
  // Opening a world takes longer than a life in it, and so does a restart in an old one.
  const worlds = new Map<WorldKind, Awaited<ReturnType<typeof createWorld>>>()
  const property = fc.asyncProperty(
    fc.array(lifeCommand, { minLength: 1, maxLength: 16 }),
    fc.constantFrom(...worldKinds),
    async (commands, kind) => {
      const world = worlds.get(kind) ?? (await createWorld(kind))
      worlds.delete(kind)
      for (const command of commands) {
        // A command may fail, as it would for a caller; what must hold is checked after it.
        await world.perform(command)
        await world.check()
      }
      const life = await world.finish()
      lived.lives += 1
      lived.commands += commands.length
      for (const count of ['issued', 'replayed', 'ended', 'deaths'] as const) lived[count] += life[count]
      onLife(lived)
      if (life.number < 12) worlds.set(kind, world)
    },
  )
  await fc.assert(property, { numRuns: lives })
  return lived
}
