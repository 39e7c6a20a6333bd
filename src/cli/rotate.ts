import { type ConnectionOptions, connect } from './connection.ts'
import type { Terminal } from './terminal.ts'

/** `sallyport rotate PROVIDER TARGET` */
export async function rotate(
  io: Terminal,
  asked: { provider: string; target: string },
  options: ConnectionOptions,
): Promise<number> {
  const { client } = connect({ ...options, as: options.as ?? 'person' })
  try {
    const rotated = await client.rotate(asked.provider, asked.target)
    io.out(io.json ? JSON.stringify({ rotated }) : rotated)
    return 0
  } finally {
    client.close()
  }
}
