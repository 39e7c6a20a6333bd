/** Every bound of the broker, by name. Times are milliseconds. */
export const brokerLimits = {
  /** Tries after the first one (seed 004 §6: at most 3 retries). */
  mintRetriesMax: 3,
  mintAttemptMs: 5_000,
  /** A try for which its caller left less time says nothing about the provider. */
  tellingAttemptMs: 1_000,
  /** The same for a mint in this process, which is given up after at most twice of it. */
  localMintMs: 2_500,
  /** Others under way at the provider of a mint whose entries then wait a moment for theirs, to share a commit. */
  siblingsMin: 8,
  /** The caller's deadline when it names none. */
  mintDeadlineMs: 15_000,
  retryBaseMs: 200,
  retryCeilingMs: 3_000,
  breakerFailures: 5,
  breakerOpenMs: 10_000,
  /** At one provider: mints at once, those that wait for a place, and those of one tenant. */
  mintsEach: { mints: 64, waiting: 1_024, waitingEach: 256 },
  endAttemptMs: 10_000,
  endRetryBaseMs: 1_000,
  endRetryCeilingMs: 3_600_000,
  /** Failed endings after which a person is called. */
  endFailuresBeforeAlert: 3,
  /** The same, where a revocation takes effect within minutes and the credential still works meanwhile. */
  eventualFailuresBeforeAlert: 8,
  /** How much longer than declared a provider may keep a credential: its clock, and the time that the call took. */
  residualSlackMs: 60_000,
  /** How long an answer can be given again under its idempotency key; it is in memory alone. */
  replayMs: 120_000,
  replaysMax: 1_000,
  /** Credentials kept in memory so that they can be tried when dead. */
  keepsakesMax: 10_000,
  /** Leases that one turn of the reconciler ends, and how many at once. */
  turnLeasesMax: 1_000,
  turnConcurrency: 8,
  /** Endings that need nobody outside: so many go into one commit, which others wait for. */
  endsRecordedAtOnce: 200,
  turnPauseMs: 1_000,
  /** Orphans that one sweep kills at one provider. */
  sweepOrphansMax: 1_000,
  plantedSweepMs: 60_000,
  purposeCharactersMax: 256,
} as const
