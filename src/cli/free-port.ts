import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * A port of loopback that nothing listens on: the wanted one or, if that is taken or none is wanted, another. Those are below the ones that an operating
 * system gives to connections by itself (from 32 768 on in Linux), so that a broker which starts again finds its ports free. Throws when ten tries found none.
 */
export function freePort(wanted?: number, triesLeft = 10): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const port = wanted || randomInt(20_000, 32_768)
  const probe = createServer()
  probe.once('error', (cause) => (triesLeft === 0 ? reject(cause) : resolve(freePort(0, triesLeft - 1))))
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)))
  return promise
}
