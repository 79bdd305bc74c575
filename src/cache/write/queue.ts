import type { Clock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import { pause, withDeadline } from "../../base/promise.ts";
import { restore, store } from "../../base/storable.ts";
import { newestWriteJournal } from "../../contract/newest-writes.ts";
import type { WriteJournal } from "../../contract/write-journal.ts";
import type { Scope } from "../key.ts";
import type { DeadWrite } from "../surface.ts";
import type { SentWrite } from "./delivery.ts";
import { createInbox } from "./inbox.ts";
import { createSender, type SenderCounters } from "./sender.ts";

/** The journal beside the ledger, once that is open; `undefined`: this ledger keeps none. */
export type JournalOf = () => Promise<WriteJournal | undefined>;

export interface WriteBehindCounters extends SenderCounters {
  /** Writes that were journalled, and so acknowledged. */
  acknowledged: number;
}

/**
 * Writes that are acknowledged when they are durable and reach the source later: in order for each key, the newest value
 * of a key only, many at once, repeated until they have arrived.
 *
 * A write may be sent twice: a crash between the source's commit and the journal's leaves it pending. None is sent after
 * a newer one of its key, as long as calls of the source end when they are aborted, and a process that was suspended for
 * longer than its lease has no call on its way. So a source that keeps a value's `version` and refuses lower ones is safe
 * whatever happens, and one that overwrites is safe but for those two.
 */
export interface WriteBehind {
  /**
   * Resolves when the write is durable (where loss is accepted: when it is queued in memory). What it rejects with from
   * the journal, or from `signal` while it is being journalled, leaves open whether the write happens.
   * @throws REPRISE_WRITE_QUEUE_FULL, REPRISE_NOT_STORABLE, REPRISE_CLOSED
   */
  readonly write: (key: string, scope: object, value: unknown, signal?: AbortSignal) => Promise<void>;
  /**
   * The newest acknowledged write of the key that has not reached the source, from whichever process. `undefined`: there
   * is none, so the source has everything, but for what is dead. Rejects if the journal does not answer: the source may
   * then be behind.
   */
  readonly pending: (key: string) => Promise<{ readonly value: unknown } | undefined>;
  /** Begins to send, also what others or an earlier process left. */
  readonly start: () => void;
  /** Takes no more writes, and brings what this process has written to the source, for `drainMs`; the rest stays journalled. */
  readonly close: (options: { readonly drainMs: number }) => Promise<void>;
  /** Resolves when all that was acknowledged before has arrived or is dead. Rejects on close. */
  readonly flush: () => Promise<void>;
  // biome-ignore lint/suspicious/noExplicitAny: the scope's type is the declaration's
  readonly dead: () => Promise<readonly DeadWrite<any>[]>;
  readonly requeue: (id: string) => Promise<boolean>;
  readonly discard: (id: string) => Promise<boolean>;
  /** Keys whose newest write has not arrived, of all processes, as of the last time this one looked. */
  readonly pendingCount: () => number;
  readonly counters: Readonly<WriteBehindCounters>;
}

export interface WriteBehindSettings {
  readonly cache: string;
  /** The journal's name for this cache's writes. Default: the cache's. Services that share a store must differ. */
  readonly queue?: string | undefined;
  /** `undefined` where loss is accepted. */
  readonly journal: JournalOf | undefined;
  /** What may be lost: the last so long. Half of it passes before a write is sent, half is left for the sending. */
  readonly acceptLoss: Duration | undefined;
  readonly writeMany: (writes: readonly SentWrite[], context: { readonly signal: AbortSignal }) => Promise<void>;
  /**
   * What reads find has changed without a write: one was given up, so that the source's value counts again, or sent once
   * more. An empty scope means every one.
   */
  readonly changed?: ((scope: Scope) => void) | undefined;
  readonly clock: () => Clock;
  /** The most keys that may be pending. */
  readonly most?: number | undefined;
  /** A call of the source is aborted after so long. */
  readonly hardMs?: number | undefined;
  readonly random?: (() => number) | undefined;
}

/** Pauses while a flush waits for what is under way elsewhere. */
const flushLookMs = { least: 5, most: 100 };

export function createWriteBehind(settings: WriteBehindSettings): WriteBehind {
  const { cache, clock, writeMany, random = Math.random } = settings;
  const { hardMs = defaults.cache.hardDeadlineMs, most = defaults.writeBehind.most, queue = cache } = settings;
  const { roomMs, deadListed } = defaults.writeBehind;
  const gatherMs = gatherTime(settings);
  const journal = journalFor(settings);
  const counters: WriteBehindCounters = { acknowledged: 0, arrived: 0, sends: 0, sendsFailed: 0, died: 0 };
  const stopping = new AbortController();
  const closed = () => new RepriseError("REPRISE_CLOSED", { service: cache });
  let pendingKeys = 0;
  let newest: number | undefined;
  let started = false;
  let closing: Promise<void> | undefined;

  const inbox = createInbox({
    ...{ cache, queue, journal, clock, most, roomMs },
    journalled: ({ versions, pending }) => {
      pendingKeys = pending;
      for (const version of versions) {
        if (version === null) continue;
        counters.acknowledged += 1;
        newest = version;
      }
      if (started) sender.gather(pending);
    },
  });
  const sender = createSender({
    ...{ cache, queue, journal, writeMany, clock, gatherMs, hardMs, counters, random, stopped: stopping.signal },
    left: (writes) => {
      pendingKeys = Math.max(0, pendingKeys - writes);
      inbox.roomMade();
    },
    died: (scopes) => {
      for (const scope of scopes) settings.changed?.(restore(scope) as Scope);
    },
    pending: (count) => {
      pendingKeys = count;
    },
  });

  /** Until nothing is left that was journalled up to this version. */
  const flushTo = async (version: number): Promise<void> => {
    const writes = await journal();
    for (;;) {
      await sender.hurry();
      const { oldest, dueInMs } = await writes.standing(queue);
      if (oldest === null || oldest > version) return;
      if (stopping.signal.aborted) throw closed();
      const { least, most: longest } = flushLookMs;
      await pause(clock(), Math.min(Math.max(dueInMs ?? 0, least), longest), stopping.signal);
    }
  };

  /** What this process has acknowledged, as long as it may take: a journal that is away may come back. */
  const drain = async (): Promise<void> => {
    await inbox.idle();
    while (newest !== undefined && !stopping.signal.aborted) {
      try {
        return await flushTo(newest);
      } catch {
        await pause(clock(), flushLookMs.most, stopping.signal);
      }
    }
  };

  const close = async (drainMs: number): Promise<void> => {
    if (started) await withDeadline(clock(), drainMs, drain(), closed).catch(() => {});
    stopping.abort(closed());
    await withDeadline(clock(), defaults.abortMs, sender.stop(), closed).catch(() => {});
  };

  const change = async (id: string, how: "requeue" | "discard"): Promise<boolean> => {
    const version = Number(id);
    return Number.isSafeInteger(version) && (await journal())[how](queue, version);
  };

  return {
    write: async (key, scope, value, signal) => {
      if (closing !== undefined) throw closed();
      const what = `A value written to cache '${cache}'`;
      await inbox.add({ key, scope: store(scope, what), value: store(value, what) }, signal);
    },
    // always asked: another process may have written since this one did, and no memory of this one knows of that
    pending: async (key) => {
      const found = await (await journal()).pending(queue, key);
      return found === null ? undefined : { value: restore(found.value) };
    },
    start: () => {
      if (started || closing !== undefined) return;
      started = true;
      sender.start();
    },
    close: ({ drainMs }) => {
      closing ??= close(drainMs);
      return closing;
    },
    flush: async () => {
      const found = await (await journal()).standing(queue);
      if (found.newest !== null) await flushTo(found.newest);
    },
    dead: async () => {
      const records = await (await journal()).dead(queue, deadListed);
      return records.map(({ scope, version, attempts, at, error }) => ({
        ...{ id: String(version), scope: restore(scope), version, attempts, at, error },
      }));
    },
    requeue: async (id) => {
      const dead = (await (await journal()).dead(queue, deadListed)).find(({ version }) => String(version) === id);
      const done = await change(id, "requeue");
      if (!done) return false;
      // as a write does: what was loaded while it was dead is older
      settings.changed?.(dead === undefined ? {} : (restore(dead.scope) as Scope));
      if (started) sender.start();
      return true;
    },
    discard: (id) => change(id, "discard"),
    pendingCount: () => pendingKeys,
    counters,
  };
}

function gatherTime({ cache, acceptLoss }: WriteBehindSettings): number {
  if (acceptLoss === undefined) return defaults.writeBehind.gatherMs;
  return milliseconds(acceptLoss, `Cache '${cache}', ifLost.accept`) / 2;
}

function journalFor({ cache, journal, acceptLoss, clock }: WriteBehindSettings): () => Promise<WriteJournal> {
  if (journal === undefined && acceptLoss !== undefined) {
    const inMemory = newestWriteJournal(
      () => clock().now(),
      async (_, work) => work(),
    );
    return async () => inMemory;
  }
  return async () => {
    const found = await journal?.();
    if (found !== undefined) return found;
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `Cache '${cache}', ifLost`,
      why: "there is no ledger that keeps a journal of writes.",
      mend: "Give createReprise one that does, such as sqliteLedger, or accept a loss.",
    });
  };
}
