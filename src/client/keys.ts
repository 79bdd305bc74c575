import type { MaybePromise } from "../base/promise.ts";

/** What is kept for an intent until the end of its work is known. */
export interface KeptKey {
  /** What is sent as the Idempotency-Key. */
  readonly key: string;
  /** Of the method, the address and the body, so that other work under the same intent is refused before it is sent. */
  readonly print: string;
  /** Milliseconds since the epoch. */
  readonly madeAt: number;
}

/**
 * Where keys outlive the process that made them. `memoryKeys()` for what a restart may forget, `fileKeys()` of
 * `reprise/client/file` for what it must not; or your own, over a table whose primary key is the intent.
 *
 * What it throws ends the call before anything is sent.
 */
export interface IdempotencyKeys {
  /** What is kept for the intent; `null`: nothing. */
  readonly get: (intent: string) => MaybePromise<KeptKey | null>;
  /**
   * Keeps `fresh`, unless something is kept for the intent already; returns what is kept now. Atomic among all who share
   * these keys: of many at once, one is kept and all are told it. Durable before it resolves: it is sent right after.
   */
  readonly put: (intent: string, fresh: KeptKey) => MaybePromise<KeptKey>;
  /**
   * Forgets what is kept for the intent: only while it is still `key`, atomically, where one is given. A late call of
   * somebody whose work is over must not take away the key of new work.
   */
  readonly delete: (intent: string, key?: string) => MaybePromise<void>;
}

/** Keys that end with the process: a restarted caller would make new ones, and its work might happen twice. */
export function memoryKeys(): IdempotencyKeys {
  const kept = new Map<string, KeptKey>();
  return {
    get: (intent) => kept.get(intent) ?? null,
    put: (intent, fresh) => {
      const found = kept.get(intent);
      if (found === undefined) kept.set(intent, fresh);
      return found ?? fresh;
    },
    delete: (intent, key) => {
      if (key === undefined || kept.get(intent)?.key === key) kept.delete(intent);
    },
  };
}
