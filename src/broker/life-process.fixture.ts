import type { FakeProvider } from '../testing/fake-provider.ts'
import type { Ledger, Provider } from './index.ts'
import type { DeathPoint } from './life-commands.fixture.ts'
import type { LifeModel } from './life-model.fixture.ts'

/** A process that can die at any moment: from then on nothing that it does reaches the world, and nothing that it waits for comes. */
export function createMortalProcess(model: LifeModel) {
  const number = model.started()
  const death = new AbortController()
  const { promise: died, resolve } = Promise.withResolvers<void>()
  let end: { readonly at: DeathPoint; left: number } | undefined
  const kill = () => {
    if (death.signal.aborted) return
    death.abort()
    resolve()
  }
  /** Returns while the process lives. */
  const pass = async (point?: DeathPoint): Promise<void> => {
    if (end?.at === point && end) end.left -= 1
    if (end?.left === 0) kill()
    if (death.signal.aborted) await new Promise<never>(() => undefined)
  }
  const mortal =
    <Input, Output>(point: DeathPoint, work: (input: Input, signal: AbortSignal) => Promise<Output>) =>
    async (input: Input, signal: AbortSignal) => {
      await pass()
      const output = await work(input, AbortSignal.any([signal, death.signal]))
      await pass(point)
      return output
    }
  return {
    died,
    kill,
    isDead: () => death.signal.aborted,
    dieAt(at: DeathPoint, nth: number) {
      end = { at, left: nth }
    },
    parts: {
      ledger: (log: Ledger): Ledger => ({
        writable: () => log.writable(),
        async record(change) {
          await pass('before a write')
          const receipt = await log.record(change).catch((thrown: unknown) => {
            model.troubled()
            throw thrown
          })
          model.written(change, number)
          await pass('after a write')
          return receipt
        },
      }),
      around: (fake: FakeProvider): Provider => ({
        ...fake,
        mint: mortal('after a mint', fake.mint),
        revoke: mortal('after a revocation', fake.revoke),
      }),
    },
  }
}
