import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { restore } from "../../base/storable.ts";
import type { ClaimedWrite, WriteEnd } from "../../contract/write-journal.ts";
import type { Holding } from "./holding.ts";

/** A write as the source receives it. */
export interface SentWrite {
  readonly scope: object;
  readonly value: unknown;
  readonly version: number;
}

/**
 * `arrived`: the source took some of it. `away`: it takes nothing, or does not answer. `lost`: the lease is over, or
 * nothing more may be sent.
 */
export type Verdict = "arrived" | "away" | "lost";

export interface DeliveryOptions {
  readonly cache: string;
  readonly writeMany: (writes: readonly SentWrite[], context: { readonly signal: AbortSignal }) => Promise<void>;
  readonly clock: Clock;
  readonly hardMs: number;
  /** How long a call that was aborted may take to end. */
  readonly abortMs: number;
  readonly holding: Holding;
  /** Aborts when nothing more may be sent. */
  readonly stopped: AbortSignal;
  /** Keys of this process's calls that were given up and have not ended. */
  readonly underWay: Set<string>;
  readonly settle: (ends: readonly WriteEnd[]) => Promise<void>;
  /** What becomes of a write that failed alone. */
  readonly failedAlone: (write: ClaimedWrite, error: unknown) => WriteEnd;
  readonly sent: (outcome: "arrived" | "failed") => void;
  /** 0 to 1, 1 excluded. */
  readonly random: () => number;
}

type Outcome =
  | { readonly is: "applied" }
  | { readonly is: "failed"; readonly error: unknown }
  /** Aborted, and it has not ended: nobody knows whether it still arrives. */
  | { readonly is: "hung"; readonly ended: Promise<Outcome> };

/**
 * Sends claimed writes. A batch that fails is halved until the write that fails alone is found; the others arrive. If the
 * first that is tried alone fails and nothing has arrived, the source is away, and nothing more of the batch is tried: a
 * hundred writes cost eight calls then, not two hundred. Which half goes first is drawn, or two bad writes at the front
 * would look like an outage for ever.
 */
export async function deliver(writes: readonly ClaimedWrite[], options: DeliveryOptions): Promise<Verdict> {
  const { holding, stopped, underWay, settle } = options;
  let arrived = false;
  let away = false;
  const mayNotSend = () => stopped.aborted || !holding.isOurs();

  const part = async (batch: readonly ClaimedWrite[]): Promise<void> => {
    const [first] = batch;
    if (first === undefined) return;
    if (away || mayNotSend()) return settle(released(batch));
    const outcome = await send(batch, options);
    switch (outcome.is) {
      case "applied":
        arrived = true;
        options.sent("arrived");
        return settle(batch.map(({ key }) => ({ key, is: "applied" })));
      case "hung":
        away = true;
        options.sent("failed");
        // held until it ends: a newer value that is sent meanwhile might be overtaken
        for (const { key } of batch) underWay.add(key);
        outcome.ended
          .then(({ is }) => {
            for (const { key } of batch) underWay.delete(key);
            return settle(is === "applied" ? batch.map(({ key }) => ({ key, is })) : released(batch));
          })
          .catch(() => {});
        return;
      case "failed":
        options.sent("failed");
        if (mayNotSend()) return settle(released(batch));
        if (batch.length > 1) {
          const [front, back] = halves(batch);
          const frontFirst = options.random() < 0.5;
          await part(frontFirst ? front : back);
          return part(frontFirst ? back : front);
        }
        await settle([options.failedAlone(first, outcome.error)]);
        away = !arrived;
        return;
    }
  };

  const early = writes.filter(({ key }) => underWay.has(key));
  if (early.length > 0) await settle(released(early));
  const free = writes.filter((write) => !early.includes(write));
  // those that failed before would fail the others once more
  await part(free.filter(({ failures }) => failures === 0));
  await part(free.filter(({ failures }) => failures > 0));
  if (arrived) return "arrived";
  return away ? "away" : "lost";
}

async function send(writes: readonly ClaimedWrite[], options: DeliveryOptions): Promise<Outcome> {
  const { cache, writeMany, clock, hardMs, abortMs, holding, stopped } = options;
  const controller = new AbortController();
  const listening = new AbortController();
  const call = async (): Promise<Outcome> => {
    try {
      await writeMany(writes.map(sentWrite), { signal: controller.signal });
      return { is: "applied" };
    } catch (error) {
      return { is: "failed", error };
    }
  };
  const ended = call();
  let cancel = () => {};
  const givenUp = new Promise<Outcome>((resolve) => {
    const abort = (reason: unknown) => {
      if (controller.signal.aborted) return;
      cancel();
      controller.abort(reason);
      cancel = clock.timer(abortMs, () => resolve({ is: "hung", ended }));
    };
    cancel = clock.timer(hardMs, () => abort(new RepriseError("REPRISE_WRITE_TIMEOUT", { cache, afterMs: hardMs })));
    for (const signal of [stopped, holding.lost]) {
      signal.addEventListener("abort", () => abort(signal.reason), { signal: listening.signal });
    }
  });
  const outcome = await Promise.race([ended, givenUp]);
  cancel();
  listening.abort();
  return outcome;
}

function sentWrite({ scope, value, version }: ClaimedWrite): SentWrite {
  return { scope: restore(scope) as object, value: restore(value), version };
}

function released(batch: readonly ClaimedWrite[]): readonly WriteEnd[] {
  return batch.map(({ key }) => ({ key, is: "released" }));
}

function halves<T>(list: readonly T[]): readonly [readonly T[], readonly T[]] {
  const middle = Math.ceil(list.length / 2);
  return [list.slice(0, middle), list.slice(middle)];
}
