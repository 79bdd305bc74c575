/** A cache of any library, as far as a trap has to know it. */
export interface Subject {
  readonly get: (id: string) => Promise<unknown>;
  /** Forgets the entry. */
  readonly purge?: (id: string) => Promise<unknown>;
  readonly put?: (id: string, value: unknown) => Promise<unknown>;
  /** Forgets all entries with the tag. */
  readonly purgeTag?: (tag: string) => Promise<unknown>;
  /** Whatever else of the library's own background work could end the process. */
  readonly provoke?: () => Promise<unknown>;
}

export interface Wanted {
  readonly load: (id: string) => Promise<unknown>;
  readonly freshMs: number;
  /** Serve stale so much longer, while a refresh runs and while the source fails. */
  readonly staleMs?: number;
  /** Of every value; the very array is handed over. */
  readonly tags?: string[];
  /** A load that takes longer is given up. */
  readonly hardMs?: number;
  /** A caller will change what it gets. */
  readonly mutates?: boolean;
  /** Everything that the library tells in events and logs. */
  readonly listen?: (...told: readonly unknown[]) => void;
  /** As without options: no bound is named. */
  readonly unbounded?: boolean;
}

/** What a library has; a trap that needs more does not concern it. */
export type Feature = "delete" | "set" | "tags" | "stale" | "stale-time" | "timeout" | "events" | "own-memory";

export interface Library {
  readonly name: string;
  readonly features: readonly Feature[];
  readonly open: (wanted: Wanted) => Subject;
}

/** Entries that every scenario fits into. */
export const bound = 10_000;
