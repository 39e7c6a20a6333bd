/** `sallyport serve` that kills itself: at the FAULT_PASSAGE-th passage of FAULT_POINT. What ships has no such points. */
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import { aws } from '../src/adapters/providers/aws/index.ts'
import { postgres } from '../src/adapters/providers/postgres/index.ts'
import type { Ledger, Provider, ProviderDefinition } from '../src/broker/index.ts'
import { runBroker } from '../src/cli/running-broker.ts'
import { createTripwire, type Tripwire } from './tripwire.ts'

const word = { type: 'string', default: '' } as const
const { values } = parseArgs({
  options: {
    contract: word,
    data: word,
    'tls-cert': word,
    'tls-key': word,
    'client-ca': word,
    machine: word,
    human: word,
    json: { type: 'boolean' },
  },
})
const tripwire = createTripwire(process.env)
const read = (path: string) => readFileSync(path, 'utf8')
const running = await runBroker({
  contractFile: values.contract,
  dataFolder: values.data,
  environment: process.env,
  machine: { host: '127.0.0.1', port: 0 },
  human: { host: '127.0.0.1', port: 0 },
  tls: {
    certificate: read(values['tls-cert']),
    key: read(values['tls-key']),
    clientCa: read(values['client-ca']),
  },
  meter: (ledger) => wireLedger(ledger, tripwire),
  providers: [wireProvider(aws, tripwire), wireProvider(postgres, tripwire)],
  note: (line) => console.error(JSON.stringify(line)),
})
const { machineUrl, humanUrl, assembled } = running
console.log(JSON.stringify({ machine: machineUrl, human: humanUrl, log_key: assembled.log.vkey }))
// Else it would be written at an orderly end alone, and there is none.
flushCompileCache()
process.once('SIGTERM', () => void running.stop())

/** A point before and after each kind of entry: the intent, the seal, the ending. */
function wireLedger(ledger: Ledger, wire: Tripwire): Ledger {
  return {
    writable: () => ledger.writable(),
    async record(change) {
      wire.pass(`before ${change.entry.event}`)
      const receipt = await ledger.record(change)
      wire.pass(`after ${change.entry.event}`)
      return receipt
    },
  }
}

function wireProvider(definition: ProviderDefinition, wire: Tripwire): ProviderDefinition {
  return {
    ...definition,
    create: async (entry, actions, world) => wired(await definition.create(entry, actions, world), wire),
  }
}

/** A point before, within and after each call; "within" is some milliseconds after it began. */
function wired(provider: Provider, wire: Tripwire): Provider {
  const around = async <T>(call: string, work: () => Promise<T>): Promise<T> => {
    wire.pass(`before ${call}`)
    wire.passSoon(`within ${call}`)
    const result = await work()
    wire.pass(`after ${call}`)
    return result
  }
  const { probe } = provider
  return {
    ...provider,
    mint: (order, signal) => around('mint', () => provider.mint(order, signal)),
    revoke: (reference, signal) => around('revoke', () => provider.revoke(reference, signal)),
    ...(probe
      ? {
          probe: (reference, credential, signal) =>
            around('probe', () => probe(reference, credential, signal)),
        }
      : {}),
  }
}
