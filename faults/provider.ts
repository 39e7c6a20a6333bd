import type { Fault } from './harness.ts'
import { besideDead } from './provider-beside.ts'
import { losingAnswers } from './provider-lost.ts'
import { answering } from './provider-manners.ts'
import { returning } from './provider-returns.ts'

/** What a provider does to a broker. */
export const provider: Fault = {
  name: 'provider',
  title:
    'a provider that is slow, refuses, throttles, answers garbage or half, mints and loses its answer, or dies and comes back',
  run: async (options) => [
    ...(await answering(options)),
    await losingAnswers(options),
    await returning(options),
    await besideDead(options),
  ],
}
