export {
  callerFixture,
  createTestBroker,
  inTime,
  requestFixture,
  type TestBroker,
  type TestBrokerOptions,
  type TestIssue,
} from './broker.ts'
export { createTestClock, type TestClock } from './clock.ts'
export { type ContractFixture, contractFixture } from './contract.ts'
export { createFakeProvider, type FakeProvider, type FakeScript, type FakeStep } from './fake-provider.ts'
export { createGrantPolicy } from './grant-policy.ts'
export { type MigrationDatabaseSubject, migrationDatabaseConformance } from './migration-database.ts'
export { grantedQuestion, isPolicyUnavailable, type PolicySubject, policyConformance } from './policy.ts'
export { type Postgres, type PostgresOptions, type PostgresUnavailable, startPostgres } from './postgres.ts'
export { type ProviderSubject, providerConformance, type Unavailable, type Use } from './provider.ts'
