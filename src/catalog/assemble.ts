import { readFile } from 'node:fs/promises'
import type { AuditLog, LogStorage } from '../audit/index.ts'
import {
  type Broker,
  createBroker,
  type Identifier,
  type Ledger,
  type ProviderDefinition,
} from '../broker/index.ts'
import {
  type Contract,
  type Mode,
  requireBrokerPart,
  requireContract,
  resolveMode,
} from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'
import { type Cosigning, createCosigning, type WitnessPolicy } from '../witness/index.ts'
import { type ContractAlerter, createAlerter } from './alerts.ts'
import { openDataFolder } from './data-folder.ts'
import { createIdentifier, readIssuerAuthorities } from './identity.ts'
import { openPolicy, type PolicyChoice } from './policy.ts'
import { openProviders, providers as ownProviders } from './providers.ts'
import { openRecords } from './records.ts'
import { createStoreCopier, type ReadableCopy } from './store-copy.ts'
import { systemClock, systemRandom } from './system.ts'
import { createResolver } from './values.ts'

export type AssembleOptions = {
  readonly contractFile: string
  /** Holds the store and the broker's keys; mode 0700. */
  readonly dataFolder: string
  /** Discriminators and value sources are read from here alone. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly policy?: PolicyChoice
  /** Stands between the broker and its ledger, to count. */
  readonly meter?: (ledger: Ledger) => Ledger
  /** Stands between the log and its store, to put faults in. */
  readonly storage?: (storage: LogStorage) => LogStorage
  /** Who cosigns the log's checkpoints; absent: nobody. */
  readonly witnesses?: WitnessPolicy
  /** One line of the operator's log. */
  readonly note?: (line: Readonly<Record<string, unknown>>) => void
  /** Further kinds of providers, for who builds an own broker. */
  readonly providers?: readonly ProviderDefinition[]
}

/** A broker with everything that it stands on. */
export type Assembled = {
  readonly contract: Contract
  readonly mode: Mode
  readonly broker: Broker
  readonly identifier: Identifier
  readonly log: AuditLog
  /** Absent without witnesses. */
  readonly cosigning?: Cosigning
  readonly alerter: ContractAlerter
  /** Takes a copy of the store; whoever calls discards it. */
  readonly copyStore: () => Promise<ReadableCopy>
  readonly close: () => Promise<void>
}

/** Reads the contract; throws `contract_unreadable` or `contract_invalid` with every problem. */
export async function readContract(file: string): Promise<Contract> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('contract_unreadable', `The contract ${file} cannot be read.`, {
      cause,
      next: 'name it with --contract FILE',
    })
  })
  return requireContract({ text, file })
}

/** Builds a broker from a contract. Throws before anything is opened when the environment matches no mode. */
export async function assemble(options: AssembleOptions): Promise<Assembled> {
  const contract = await readContract(options.contractFile)
  requireBrokerPart(contract)
  const mode = resolveMode(contract, options.environment)
  const folder = openDataFolder(options.dataFolder, contract.name)
  const authorities = await readIssuerAuthorities(contract, AbortSignal.timeout(5_000))
  const identifier = createIdentifier({ contract, clock: systemClock, caPem: authorities })
  const policy = await openPolicy(contract, options.policy ?? { kind: 'bundled' })
  const providers = await openProviders(
    contract,
    {
      clock: systemClock,
      random: systemRandom,
      resolve: createResolver({ contractFile: contract.file, environment: options.environment }),
      keyFolder: folder.keyFolder,
      brokerName: folder.brokerName,
    },
    [...ownProviders, ...(options.providers ?? [])],
  )
  const { store, log, highWater, cosigned: kept } = await openRecords(folder, options.storage)
  const { witnesses, note = () => undefined } = options
  const alerter = createAlerter(contract.alerts, { clock: systemClock, note })
  const cosigning =
    witnesses && createCosigning({ log, policy: witnesses, kept, clock: systemClock, alerter, note })
  const broker = createBroker({
    contract,
    mode,
    policy,
    providers,
    ledger: options.meter ? options.meter(highWater.ledger) : highWater.ledger,
    leases: store.leases,
    alerter,
    clock: systemClock,
    random: systemRandom,
  })
  return {
    contract,
    mode,
    broker,
    identifier,
    log,
    alerter,
    ...(cosigning ? { cosigning } : {}),
    copyStore: createStoreCopier(store, folder.copyFile),
    async close() {
      await log.close()
      await highWater.close()
      await alerter.close()
      for (const provider of providers.values()) await provider.close?.()
      store.close()
    },
  }
}
