import { defaults } from "../../base/defaults.ts";
import type { AbandonedWork, Completion, Fence, Parking, Release } from "../../contract/ledger.ts";
import { finish, isDue, isExpired, noteAttempt, parkWork, passesOver } from "../work.ts";
import { type Document, decode, type Kept, workPrefix } from "./document.ts";
import type { ItemLedger } from "./ledger.ts";
import type { Moment } from "./store-clock.ts";
import { told, written } from "./works.ts";

export async function completeWork(
  ledger: ItemLedger,
  fence: Fence,
  { outcome, refused, keepMs, visited }: Completion,
  signal: AbortSignal,
): Promise<"done" | "fenced" | "effects-differ"> {
  const { works, due, intents } = ledger;
  let isListed = false;
  const ended = await works.changeOwn<"done" | "effects-differ">(
    fence,
    async (work, { latest }) => {
      if (passesOver(work, visited)) return told("effects-differ");
      if (!refused) await intents.enter(work, signal);
      finish(work, latest, outcome, refused, keepMs);
      isListed = work.isListed;
      work.isListed = false;
      return written("done", (done, now) => {
        done.keepUntil = Math.max(done.keepUntil, now.latest + keepMs);
      });
    },
    signal,
  );
  if (ended === "done") {
    works.letGo(fence.attempt);
    if (isListed) await due.remove(fence.name, signal);
  }
  return ended ?? "fenced";
}

export async function releaseWork(
  ledger: ItemLedger,
  fence: Fence,
  { keep, notBeforeMs, error }: Release,
  signal: AbortSignal,
): Promise<"released" | "open" | "fenced"> {
  const { works, due } = ledger;
  if (!keep) {
    const discarded = await ledger.discard(fence, signal);
    if (discarded !== "effects") return discarded;
  }
  const released = await works.changeOwn(
    fence,
    async (work, { earliest, latest }) => {
      noteAttempt(work, "released", latest, error);
      work.state = "open";
      work.notBefore = notBeforeMs === 0 ? 0 : latest + notBeforeMs;
      work.leaseUntil = earliest;
      work.why = error;
      if (work.isListed) await due.put(work, earliest + notBeforeMs, signal);
      return written("open" as const);
    },
    signal,
  );
  works.letGo(fence.attempt);
  return released ?? "fenced";
}

export async function parkOwn(
  { works }: ItemLedger,
  fence: Fence,
  { effect, why, unlessAnswered }: Parking,
  signal: AbortSignal,
): Promise<"parked" | "answered" | "fenced"> {
  const parked = await works.changeOwn<"parked" | "answered">(
    fence,
    (work, { latest }) => {
      if (unlessAnswered && (work.effects.get(effect)?.answer ?? null) !== null) return told("answered");
      parkWork(work, latest, effect, why);
      return written("parked");
    },
    signal,
  );
  if (parked === "parked") works.letGo(fence.attempt);
  return parked ?? "fenced";
}

export async function parkStalled(
  { works, ids }: ItemLedger,
  { id, token }: Pick<AbandonedWork, "id" | "token">,
  why: string,
  signal: AbortSignal,
): Promise<boolean> {
  const name = await ids.nameOf(id, signal);
  if (name === null) return false;
  const parked = await works.change(
    name,
    (work, { earliest, latest }) => {
      if (work.id !== id || work.token !== token || !isDue(work, earliest)) return told(false);
      parkWork(work, latest, "(resume)", why);
      return written(true);
    },
    signal,
  );
  return parked?.answer ?? false;
}

/** Deletes work of which nothing ever happened. */
export async function discardOwn(
  ledger: ItemLedger,
  fence: Fence,
  signal: AbortSignal,
): Promise<"released" | "effects" | "fenced"> {
  const { works } = ledger;
  for (;;) {
    const kept = await works.read(fence.name, signal);
    const work = kept === null ? null : decode(kept.text);
    const isOwn = work?.id === fence.id && work.attempt === fence.attempt && work.state === "running";
    if (work === null || kept === null || !isOwn) {
      works.letGo(fence.attempt);
      return "fenced";
    }
    if (work.effects.size > 0) return "effects";
    if (await removeWhole(ledger, work, kept, signal)) {
      works.letGo(fence.attempt);
      return "released";
    }
  }
}

/** Past its keep, and no parent needs it. */
export async function isOver(
  { works }: Pick<ItemLedger, "works">,
  work: Document,
  { earliest }: Moment,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isExpired(work, earliest)) return false;
  if (work.parent === null) return true;
  const parent = await works.read(work.parent, signal);
  return parent === null || decode(parent.text).state === "done";
}

/** Deletes it with all that names it: first itself, so that nothing leads to it that is not there. */
export async function removeWhole(
  { works, keys, ids, due, intents }: Pick<ItemLedger, "works" | "keys" | "ids" | "due" | "intents">,
  work: Document,
  kept: Kept,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await works.remove(work.name, kept, signal))) return false;
  await Promise.all([
    keys.free(work.keys.keys(), work.name, signal),
    ids.forget(work.id, signal),
    intents.forget(work, signal),
    work.isListed ? due.remove(work.name, signal) : undefined,
  ]);
  return true;
}

/** Reads on from where the sweep before ended, at most some pages. */
export function createSweep(ledger: ItemLedger): (limit: number, signal: AbortSignal) => Promise<number> {
  let after: string | null = null;
  return async (limit, signal) => {
    let swept = 0;
    for (let pages = 0; pages < defaults.items.sweepPages; pages++) {
      const overBefore = ledger.clock.moment().earliest;
      const { items, next } = await ledger.items.scan({ prefix: workPrefix, overBefore, after }, signal);
      for (const kept of items) {
        // the rest of this page comes with the next sweep
        if (swept >= limit) return swept;
        const work = decode(kept.text);
        const isSwept = await ledger.isOver(work, ledger.clock.moment(), signal);
        if (isSwept && (await ledger.clear(work, kept, signal))) swept += 1;
      }
      after = next;
      if (next === null) break;
    }
    return swept;
  };
}
