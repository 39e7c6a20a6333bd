import { liveThrough } from '../src/broker/life.fixture.ts'
import { type Fault, unlessAny } from './harness.ts'

/** Brokers in memory, over a real store, that live through random commands, failures and deaths. */
export const lease: Fault = {
  name: 'lease',
  title: 'random lives of leases against a model',
  run: async ({ length, progress }) => {
    const wanted = lives[length]
    const row = { fault: 'lease', what: 'random lives against a model' }
    try {
      const {
        lives: injected,
        commands,
        issued,
        replayed,
        ended,
        deaths,
      } = await liveThrough(wanted, (so) => {
        if (so.lives % 100 === 0) progress(`life ${so.lives} of ${wanted}`)
      })
      const told = `${commands} commands, ${deaths} deaths of the process; ${issued} issued, ${replayed} answers repeated, all ${ended} leases over`
      const lost = [...unlessAny(issued, 'credential was issued'), ...unlessAny(deaths, 'process died')]
      return [{ ...row, injected, lost, told }]
    } catch (thrown) {
      // The shortest life in which something was wrong, and the seed that leads to it.
      const words = thrown instanceof Error ? thrown.message : String(thrown)
      return [{ ...row, injected: wanted, lost: [words], told: '' }]
    }
  },
}

const lives = { short: 1_000, long: 100_000 } as const
