/** Every default in one place, each with its reason. A declaration may take any of them over. */
export const defaults = {
  cache: {
    /** Entries in memory for the whole instance: some tens of megabytes of ordinary values; never unbounded. */
    maxEntries: 10_000,
    /** Entries stored together must not expire together; up to a tenth shorter spreads a minute's keys over 6 s. */
    jitter: 0.1,
    /** A load that takes longer has lost its callers; it is aborted. */
    hardDeadlineMs: 30_000,
    /** A failing source is asked once a second for a key, not once a caller. */
    backOffMs: 1_000,
  },
  operation: {
    /** Long enough for a garbage collection or a slow disk, short enough that a crash is not felt for minutes. */
    leaseMs: 30_000,
    /** Renewed at a third of the lease, so that two renewals may be lost. */
    renewAt: 1 / 3,
    /** An effect that has not answered by then is unknown. */
    effectDeadlineMs: 20_000,
    /** A lost answer that nobody resumes becomes a person's after an hour. */
    abandonAfterMs: 3_600_000,
    /** A kept outcome larger than this belongs elsewhere, with a reference here. */
    outcomeLimitBytes: 65_536,
    /** How often an unanswered question to the other side is asked before the work is parked, and the pauses between. */
    askPausesMs: [200, 1_000],
    /** Work that a completer resumed so often without an end is left to its callers. */
    resumeAttempts: 10,
  },
  /** Pauses of the background work; each is stopped by close. */
  background: {
    completeEveryMs: 2_000,
    /** Resumed runs at once in an instance: a few, so that one that hangs holds nobody up and a backlog does not flood. */
    resumedAtOnce: 4,
    sweepEveryMs: 60_000,
    sweepBatch: 500,
    journalFineMs: 10_000,
    journalCoarseMs: 300_000,
    journalFineKeptMs: 3_600_000,
    journalCoarseKeptMs: 14 * 86_400_000,
  },
  /** How long close waits for what is under way before it aborts it. */
  drainMs: 10_000,
  /** How long close waits after it has aborted what was under way. */
  abortMs: 1_000,
  /** A ledger that has not opened by then is away. */
  openMs: 15_000,
  http: {
    /** As Stripe and most gateways bound it. */
    keyMaxLength: 255,
    /** A booking, not an upload. */
    bodyLimitBytes: 1_048_576,
  },
  sqlite: {
    /** Longer than any transaction should be; then the caller is told to repeat. */
    busyMs: 5_000,
  },
} as const;
