import { type ConnectionOptions, withBroker } from './connection.ts'
import type { Terminal } from './terminal.ts'

/** `sallyport rotate PROVIDER TARGET`. In a development folder its person asks, because only people rotate. */
export function rotate(
  io: Terminal,
  asked: { provider: string; target: string },
  options: ConnectionOptions,
): Promise<number> {
  return withBroker({ ...options, as: options.as ?? 'person' }, async (client) => {
    const rotated = await client.rotate(asked.provider, asked.target)
    if (io.json) io.data({ rotated })
    else io.out(rotated)
    return 0
  })
}
