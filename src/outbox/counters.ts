/** What one process has counted of an outbox. */
export interface OutboxCounts {
  /** Messages that `publishIn` has written. Of those whose transaction rolled back nobody tells. */
  readonly published: number;
  /** Messages that the broker has confirmed; one that was sent again counts again. */
  readonly relayed: number;
  /** Attempts at sending that failed, of one message or several. */
  readonly failed: number;
}

export type OutboxCounters = { -readonly [K in keyof OutboxCounts]: OutboxCounts[K] };

export function createOutboxCounters(): OutboxCounters {
  return { published: 0, relayed: 0, failed: 0 };
}
