import { readFileSync } from 'node:fs'
import { parseWitnessKey } from '../audit/index.ts'
import { Secret } from '../primitives/index.ts'
import { createWitness, createWitnessListener, openWitnessState } from './index.ts'

// A witness in a process of its own, which kills itself (no handler runs) when what it cosigned is durable and before it has answered.
const [folder = '', keyFile = '', vkey = '', deaths = '0'] = process.argv.slice(2)
const state = openWitnessState(folder)
let left = Number(deaths)
const witness = createWitness({
  cosigner: parseWitnessKey(new Secret(readFileSync(keyFile, 'utf8'))),
  logs: [vkey],
  now: () => Date.now(),
  state: {
    ...state,
    advance(origin, from, to) {
      state.advance(origin, from, to)
      left -= 1
      if (left === 0) process.kill(process.pid, 'SIGKILL')
    },
  },
})
const server = createWitnessListener({ witness, log: () => undefined })
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') process.stdout.write(`${address?.port}\n`)
})
