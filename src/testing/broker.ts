import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import {
  type AuditLog,
  createLog,
  createLogKey,
  type Entry,
  type LogStorage,
  parseEntry,
  parseLogKey,
  type Signer,
} from '../audit/index.ts'
import {
  type Broker,
  type Caller,
  type CredentialRequest,
  createBroker,
  type IssueAnswer,
  type IssuedCredential,
  type LeaseStore,
  type Ledger,
  type PolicyEngine,
  type Provider,
} from '../broker/index.ts'
import type { Contract } from '../contract/index.ts'
import { Failure, type RandomBytes } from '../primitives/index.ts'
import { createRecordingAlerter, type RecordingAlerter } from './alerter.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { type ContractFixture, contractFixture } from './contract.ts'
import { createFakeProvider, type FakeProvider } from './fake-provider.ts'
import { createGrantPolicy } from './grant-policy.ts'

export type TestBrokerOptions = {
  /** A real store, such as `openSqliteStore({ path: ':memory:' })`; the log is opened over it. */
  readonly store: { readonly storage: LogStorage; readonly leases: LeaseStore }
  readonly signer?: Signer
  readonly clock?: TestClock
  readonly contract?: ContractFixture
  /** `LOCAL` unless it is named. */
  readonly mode?: string
  readonly policy?: (contract: Contract) => PolicyEngine
  /** The fake that mints. */
  readonly provider?: FakeProvider
  /** What the broker knows the fake by; the services of the contract want `fake`. */
  readonly providerName?: string
  /** Stands between the broker and the fake. */
  readonly around?: (provider: FakeProvider) => Provider
  /** Stands between the broker and its log, to count, to break and to crash. */
  readonly ledger?: (ledger: Ledger) => Ledger
  readonly random?: RandomBytes
}

export type TestIssue = {
  readonly caller?: Caller
  readonly request?: Partial<CredentialRequest>
  readonly idempotencyKey?: string
  readonly deadline?: number
  readonly signal?: AbortSignal
}

/** A whole broker over a real store and a real log; clock, alerter and provider are fakes. */
export type TestBroker = {
  readonly broker: Broker
  readonly contract: Contract
  readonly clock: TestClock
  readonly provider: FakeProvider
  readonly alerter: RecordingAlerter
  readonly log: AuditLog
  readonly leases: LeaseStore
  /** Asks as agent-7 of acme for `public.orders`, and moves the clock while the broker waits on it. */
  ask(change?: TestIssue): Promise<{ readonly answer: IssueAnswer; readonly replayed: boolean }>
  /** The same, where it has to be issued. */
  issue(change?: TestIssue): Promise<IssuedCredential>
  revoke(id: string, caller?: Caller): ReturnType<Broker['revoke']>
  /** One turn of the reconciler; `listing` asks the providers too. */
  turn(kind?: 'due' | 'listing'): ReturnType<Broker['reconcile']>
  /** Every entry of the log, oldest first. */
  entries(): Promise<readonly Entry[]>
  /** A new process over the same store, provider and clock, as after `kill -9`: everything in memory is lost. */
  restart(change?: Partial<TestBrokerOptions>): Promise<TestBroker>
}

/** An agent of acme on the machine plane, unless the change says otherwise. */
export function callerFixture(agent = 'agent-7', change: Partial<Caller> = {}): Caller {
  return {
    plane: 'machine',
    tenant: 'acme',
    agent,
    roles: [],
    method: 'certificate',
    subject: `spiffe://demo.test/${agent}`,
    ...change,
  }
}

export const requestFixture: CredentialRequest = {
  service: 'orders-db',
  action: 'read-table',
  resource: 'public.orders',
}

/** Every agent of both tenants may read the tables of `public`, on both planes and in both modes, for an hour. */
const openGrants = ['acme', 'globex'].map((tenant) => ({
  id: `${tenant}-reads`,
  tenant,
  agents: ['*'],
  resources: ['public.*'],
  planes: ['machine', 'human'] as const,
  maxDurationSeconds: 3600,
}))

export async function createTestBroker(options: TestBrokerOptions): Promise<TestBroker> {
  const { store, clock = createTestClock(), random = randomBytes } = options
  const signer = options.signer ?? parseLogKey(createLogKey('log.example.test/broker'))
  const contract = contractFixture({ grants: openGrants, ...options.contract })
  const mode = contract.modes.get(options.mode ?? 'LOCAL')
  if (!mode) throw new Failure('mode_unmatched', 'The contract of this test has no such mode.')
  const provider = options.provider ?? createFakeProvider({ clock })
  const alerter = createRecordingAlerter()
  const log = await createLog({ storage: store.storage, signer })
  const broker = createBroker({
    contract,
    mode,
    policy: (options.policy ?? createGrantPolicy)(contract),
    providers: new Map([[options.providerName ?? 'fake', options.around?.(provider) ?? provider]]),
    ledger: options.ledger?.(log) ?? log,
    leases: store.leases,
    alerter,
    clock,
    random,
  })
  const newRequestId = () => randomBytes(16).toString('hex')

  const ask = ({ caller = callerFixture(), request, signal, ...rest }: TestIssue = {}) => {
    const call = { caller, requestId: newRequestId(), request: { ...requestFixture, ...request }, ...rest }
    return inTime(clock, broker.issue(call, signal ?? new AbortController().signal))
  }
  return {
    broker,
    contract,
    clock,
    provider,
    alerter,
    log,
    leases: store.leases,
    ask,
    async issue(change) {
      const { answer } = await ask(change)
      if (answer.kind === 'issued') return answer
      throw new Failure('denied', answer.reason)
    },
    revoke: (id, caller = callerFixture()) =>
      inTime(clock, broker.revoke({ caller, requestId: newRequestId(), id })),
    turn: (kind = 'due') =>
      inTime(clock, broker.reconcile({ requestId: newRequestId(), sweep: kind === 'listing' })),
    entries: () => readEntries(log),
    restart: (change) => createTestBroker({ ...options, signer, clock, provider, ...change }),
  }
}

async function readEntries(log: AuditLog): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  while (entries.length < log.size()) {
    const page = await log.entries(entries.length, Math.min(1000, log.size() - entries.length))
    entries.push(...page.flatMap((bytes) => parseEntry(bytes) ?? []))
  }
  return entries
}

/** Waits for the work, and moves the clock to the next sleep's end whenever nothing else goes on. */
export async function inTime<Result>(clock: TestClock, work: Promise<Result>): Promise<Result> {
  let done = false
  const finish = () => {
    done = true
  }
  work.then(finish, finish)
  for (let quiet = 0; quiet < quietRoundsMax; quiet += 1) {
    for (let turn = 0; turn < idleTurns && !done; turn += 1) await setImmediate()
    if (done) return work
    if (clock.nextWake === undefined) continue
    await clock.advance(clock.nextWake - clock.now())
    quiet = 0
  }
  throw new Error('The work waits for something that never comes.')
}

/** Turns of the event loop in which a commit of the log, and what waited for it, is surely over. */
const idleTurns = 12

/** Rounds of such turns in which no sleep began: longer than any work without one. */
const quietRoundsMax = 10_000
