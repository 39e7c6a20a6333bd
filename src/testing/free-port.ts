import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A TCP port of loopback that nothing listens on, for a server that cannot be told to take any. It is none of those that an operating system gives
 * out by itself (from 32 768 on in Linux), so that no connection takes it before the server does. Throws when ten tries found none.
 */
export async function freePort(triesLeft = 10): Promise<number> {
  const port = randomInt(20_000, 32_768)
  const probe = createServer()
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening')
  } catch (cause) {
    if (triesLeft === 1) throw cause
    return freePort(triesLeft - 1)
  }
  await once(probe.close(), 'close')
  return port
}
