import type { Clock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { newAttemptId } from "../../base/names.ts";
import { pause } from "../../base/promise.ts";
import type { ClaimedWrite, WriteClaim, WriteEnd, WriteJournal } from "../../contract/write-journal.ts";
import { type DeliveryOptions, deliver, type Verdict } from "./delivery.ts";
import { type Holding, holdClaim } from "./holding.ts";

export interface SenderCounters {
  /** Writes that the source has taken. */
  arrived: number;
  /** Calls of the source. */
  sends: number;
  sendsFailed: number;
  /** Writes given up. */
  died: number;
}

/** Brings what is journalled to the source, one batch at a time in each process. */
export interface Sender {
  /** Looks for something to send at once, and from then on again and again. */
  readonly start: () => void;
  /** Something was journalled, so that so many keys are pending: a full batch goes at once, less waits for company. */
  readonly gather: (pending: number) => void;
  /** Sends what is due, unless the source has a pause; resolves when that is done. Never rejects. */
  readonly hurry: () => Promise<void>;
  /** Resolves when a batch that is under way has ended; whoever stops it aborts `stopped` first. */
  readonly stop: () => Promise<void>;
}

export interface SenderOptions extends Pick<DeliveryOptions, "cache" | "writeMany" | "hardMs" | "random"> {
  readonly queue: string;
  readonly journal: () => Promise<WriteJournal>;
  readonly clock: () => Clock;
  /** How long a write waits for company. */
  readonly gatherMs: number;
  readonly stopped: AbortSignal;
  readonly counters: SenderCounters;
  /** These writes were given up: whoever reads from now on ought to find the source's value. */
  readonly died: (scopes: readonly string[]) => void;
  /** So many writes are pending no more, or a newer one of their key is in their place. */
  readonly left: (writes: number) => void;
  readonly pending: (count: number) => void;
}

const { batch, leaseMs, lookMs, pauseMs, attempts: mostAttempts, failingMs, deadKeptMs } = defaults.writeBehind;

/** Doubled with each failure in a row, and a part of it drawn: what failed together need not come back together. */
function pauseAfter(failures: number, most: number, random: () => number): number {
  const full = Math.min(pauseMs.least * 2 ** Math.min(failures, 30), most);
  return full * (0.5 + random() / 2);
}

export function createSender(options: SenderOptions): Sender {
  const { queue, gatherMs, stopped, counters, random } = options;
  const clock = () => options.clock();
  /** What the counter of arrivals was when a key last failed alone: only if others arrived since is it the write's fault. */
  const failedAt = new Map<string, number>();
  /** Keys of calls that were given up and have not ended: nothing newer of theirs is sent, whoever's the lease is. */
  const underWay = new Set<string>();
  let arrivals = 0;
  let failures = 0;
  let pausedUntil = 0;
  let gatherUntil: number | undefined;
  let sweptAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;

  const wake = (ms: number): void => {
    const at = Math.max(clock().monotonic() + ms, pausedUntil);
    if (stopped.aborted || (timer !== undefined && timer.at <= at)) return;
    timer?.cancel();
    const cancel = clock().timer(at - clock().monotonic(), () => {
      timer = undefined;
      void run(false);
    });
    timer = { at, cancel };
  };

  /** The scopes of writes whose giving up is yet to be settled, by key. */
  const dying = new Map<string, string>();
  const failedAlone = (write: ClaimedWrite, error: unknown): WriteEnd => {
    const { key } = write;
    const counts = arrivals > (failedAt.get(key) ?? 0);
    failedAt.set(key, arrivals);
    const isDead = (counts && write.attempts + 1 >= mostAttempts) || write.failingMs >= failingMs;
    if (isDead) {
      counters.died += 1;
      failedAt.delete(key);
      dying.set(key, write.scope);
      return { key, is: "dead", error: nameOfError(error) };
    }
    const pausesMs = pauseAfter(write.failures, pauseMs.most, random);
    return { key, is: "failed", pauseMs: Math.ceil(pausesMs), counts, error: nameOfError(error) };
  };

  const sent = (outcome: "arrived" | "failed"): void => {
    counters.sends += 1;
    if (outcome === "arrived") arrivals += 1;
    else counters.sendsFailed += 1;
  };

  /** Repeated while the lease may last: what has arrived and is not settled is sent once more. */
  const settleWith = (journal: WriteJournal, claim: WriteClaim, holding: Holding) => {
    return async (ends: readonly WriteEnd[]): Promise<void> => {
      holding.ending(ends.length);
      for (const end of ends) {
        if (end.is !== "applied") continue;
        counters.arrived += 1;
        failedAt.delete(end.key);
      }
      const until = clock().monotonic() + leaseMs;
      for (;;) {
        try {
          const ended = await journal.settle(claim, ends);
          if (ends.some(({ is }) => is === "applied" || is === "dead")) options.left(ended);
          const dead = ends.flatMap(({ key, is }) => (is === "dead" ? [dying.get(key) ?? ""] : []));
          if (dead.length > 0) options.died(dead);
          for (const { key } of ends) dying.delete(key);
          return;
        } catch {
          if (stopped.aborted || clock().monotonic() >= until) return;
        }
        await pause(clock(), pauseMs.least);
      }
    };
  };

  const sendBatch = async (journal: WriteJournal): Promise<{ readonly taken: number; readonly verdict: Verdict }> => {
    const claim = { queue, attempt: newAttemptId() };
    const claimedAt = clock().monotonic();
    const writes = await journal.claim({ ...claim, leaseMs, limit: batch });
    if (writes.length === 0) return { taken: 0, verdict: "lost" };
    const holding = holdClaim({
      ...{ journal, claim, claimedAt, leaseMs, writes: writes.length, graceMs: defaults.abortMs, clock: clock() },
    });
    const { cache, writeMany, hardMs } = options;
    const verdict = await deliver(writes, {
      ...{ cache, writeMany, hardMs, holding, stopped, underWay, failedAlone, sent, random },
      clock: clock(),
      abortMs: defaults.abortMs,
      settle: settleWith(journal, claim, holding),
    });
    if (verdict === "arrived") failures = 0;
    if (verdict === "away") {
      pausedUntil = clock().monotonic() + pauseAfter(failures, pauseMs.mostOfSource, random);
      failures += 1;
    }
    return { taken: writes.length, verdict };
  };

  const sweep = async (journal: WriteJournal): Promise<void> => {
    const { sweepEveryMs, sweepBatch } = defaults.background;
    const now = clock().monotonic();
    if (now - sweptAt < sweepEveryMs) return;
    sweptAt = now;
    await journal.sweep(queue, deadKeptMs, sweepBatch);
  };

  /** In how many milliseconds there is something to do. */
  const round = async (isHurried: boolean): Promise<number> => {
    const journal = await options.journal();
    for (;;) {
      const { pending, dueInMs } = await journal.standing(queue);
      options.pending(pending);
      if (dueInMs === null) {
        failedAt.clear();
        await sweep(journal);
        return lookMs;
      }
      if (dueInMs > 0) return Math.min(dueInMs, lookMs);
      if (stopped.aborted) return lookMs;
      const gathersMs = (gatherUntil ?? 0) - clock().monotonic();
      if (gathersMs > 0 && pending < batch && !isHurried) return gathersMs;
      gatherUntil = undefined;
      const { taken, verdict } = await sendBatch(journal);
      if (verdict === "lost") return lookMs;
      // as soon as its pause is over
      if (verdict === "away") return 0;
      // a batch that was not full has no company yet
      if (taken < batch) return gatherMs;
    }
  };

  const run = (isHurried: boolean): Promise<void> => {
    if (running !== undefined) return running;
    if (stopped.aborted || clock().monotonic() < pausedUntil) {
      // also when a timer fired a little early
      wake(0);
      return Promise.resolve();
    }
    running = round(isHurried)
      // the journal is away: what it keeps is still there at the next look
      .catch(() => lookMs)
      .then((nextMs) => {
        running = undefined;
        wake(nextMs);
      });
    return running;
  };

  return {
    start: () => wake(0),
    gather: (pending) => {
      gatherUntil ??= clock().monotonic() + gatherMs;
      wake(pending >= batch ? 0 : gatherUntil - clock().monotonic());
    },
    hurry: () => run(true),
    stop: async () => {
      timer?.cancel();
      await running;
    },
  };
}

/** A code, or a class: an error's text may hold a value. */
function nameOfError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[\w.-]{1,60}$/.test(code) ? code : error.constructor.name;
}
