/** Where instances write their counters, so that one page shows all of them. Losing the newest entry loses a figure, nothing else. */
export interface Journal {
  /** Adds one entry. An instance writes one of each `at` and resolution. */
  readonly append: (entry: JournalEntry) => Promise<void>;
  /** Entries of a resolution written at `since` or later (milliseconds since the epoch), oldest first. */
  readonly read: (resolution: Resolution, since: number) => Promise<readonly JournalEntry[]>;
  /** Deletes the entries of a resolution written before `before`. */
  readonly forget: (resolution: Resolution, before: number) => Promise<void>;
}

/** `fine`: every 10 s, kept an hour. `coarse`: every 5 min, kept 14 days. */
export type Resolution = "fine" | "coarse";

export interface JournalEntry {
  readonly resolution: Resolution;
  readonly instance: string;
  readonly at: number;
  /** JSON, as `observe/` writes it. */
  readonly body: string;
}
