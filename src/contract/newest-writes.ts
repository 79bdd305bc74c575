import type { AttemptId } from "../base/names.ts";
import type { ClaimedWrite, WriteEnd, WriteJournal } from "./write-journal.ts";

/** A step of the store: whole and at once, or not at all. */
export type Step = <T>(doing: string, work: () => T) => Promise<T>;

/**
 * What the contract of write journals says, over a map: for the memory ledger, and for caches that accept the loss of
 * what a process has not sent. `now` is the store's clock.
 */
export function newestWriteJournal(now: () => number, step: Step): WriteJournal {
  const writes = createNewestWrites(now);
  const doing = "write journal";
  return {
    append: (request) => step(doing, () => writes.append(request)),
    pending: (queue, key) => step(doing, () => writes.pending(queue, key)),
    claim: (request) => step(doing, () => writes.claim(request)),
    renew: (claim, leaseMs) => step(doing, () => writes.renew(claim, leaseMs)),
    settle: (claim, ends) => step(doing, () => writes.settle(claim, ends)),
    standing: (queue) => step(doing, () => writes.standing(queue)),
    dead: (queue, limit) => step(doing, () => writes.dead(queue, limit)),
    requeue: (queue, version) => step(doing, () => writes.requeue(queue, version)),
    discard: (queue, version) => step(doing, () => writes.discard(queue, version)),
    sweep: (queue, keptMs, limit) => step(doing, () => writes.sweep(queue, keptMs, limit)),
  };
}

type NewestWrites = {
  readonly [M in keyof WriteJournal]: (...args: Parameters<WriteJournal[M]>) => Awaited<ReturnType<WriteJournal[M]>>;
};

/** The newest write of a key. */
interface Kept {
  readonly key: string;
  scope: string;
  value: string;
  version: number;
  /** The version that has been waiting since. */
  place: number;
  state: "pending" | "dead";
  claim: { readonly attempt: AttemptId; readonly version: number; leaseUntil: number } | null;
  notBefore: number;
  attempts: number;
  failures: number;
  failedAt: number | null;
  error: string;
  deadAt: number;
}

function createNewestWrites(now: () => number): NewestWrites {
  const queues = new Map<string, Map<string, Kept>>();
  let last = 0;

  const keptOf = (queue: string): Map<string, Kept> => {
    const kept = queues.get(queue) ?? new Map<string, Kept>();
    queues.set(queue, kept);
    return kept;
  };
  const allOf = (queue: string, state: Kept["state"]): Kept[] =>
    [...(queues.get(queue)?.values() ?? [])].filter((kept) => kept.state === state);
  const deadOne = (queue: string, version: number): Kept | undefined =>
    allOf(queue, "dead").find((kept) => kept.version === version);
  const dueAt = ({ notBefore, claim }: Kept): number => Math.max(notBefore, claim?.leaseUntil ?? 0);

  return {
    append: ({ queue, writes, most }) => {
      const kept = keptOf(queue);
      let pending = allOf(queue, "pending").length;
      last = Math.max(last, now() * 1_000);
      const versions = writes.map(({ key, scope, value }) => {
        const former = kept.get(key);
        const isPending = former?.state === "pending";
        if (!isPending && pending >= most) return null;
        last += 1;
        if (isPending) {
          Object.assign(former, { scope, value, version: last, attempts: 0, failedAt: null, error: "" });
        } else {
          pending += 1;
          kept.set(key, { ...fresh, key, scope, value, version: last, place: last });
        }
        return last;
      });
      return { versions, pending };
    },
    pending: (queue, key) => {
      const kept = queues.get(queue)?.get(key);
      return kept?.state === "pending" ? { value: kept.value, version: kept.version } : null;
    },

    claim: ({ queue, attempt, leaseMs, limit }) => {
      const at = now();
      const due = allOf(queue, "pending").filter((kept) => dueAt(kept) <= at);
      return due
        .sort((a, b) => a.place - b.place)
        .slice(0, limit)
        .map((kept): ClaimedWrite => {
          const { key, scope, value, version, attempts, failures, failedAt } = kept;
          kept.claim = { attempt, version, leaseUntil: at + leaseMs };
          return { key, scope, value, version, attempts, failures, failingMs: failedAt === null ? 0 : at - failedAt };
        });
    },
    renew: ({ queue, attempt }, leaseMs) => {
      let held = 0;
      for (const { claim } of allOf(queue, "pending")) {
        if (claim?.attempt !== attempt) continue;
        claim.leaseUntil = now() + leaseMs;
        held += 1;
      }
      return held;
    },
    settle: ({ queue, attempt }, ends) => {
      const kept = keptOf(queue);
      let ended = 0;
      for (const end of ends) {
        const one = kept.get(end.key);
        if (one?.claim?.attempt !== attempt) continue;
        ended += 1;
        if (settleOne(one, end, now()) === "gone") kept.delete(end.key);
      }
      return ended;
    },

    standing: (queue) => {
      const pending = allOf(queue, "pending");
      const among = (pick: (...values: number[]) => number, of: (kept: Kept) => number) =>
        pending.length === 0 ? null : pending.reduce((best, kept) => pick(best, of(kept)), of(pending[0] as Kept));
      const dueAtFirst = among(Math.min, dueAt);
      return {
        pending: pending.length,
        dead: allOf(queue, "dead").length,
        oldest: among(Math.min, (kept) => kept.place),
        newest: among(Math.max, (kept) => kept.version),
        dueInMs: dueAtFirst === null ? null : dueAtFirst - now(),
      };
    },
    dead: (queue, limit) =>
      allOf(queue, "dead")
        .sort((a, b) => a.deadAt - b.deadAt || a.version - b.version)
        .slice(0, limit)
        .map(({ key, scope, version, attempts, deadAt, error }) => ({
          ...{ key, scope, version, attempts, at: deadAt, error },
        })),
    requeue: (queue, version) => {
      const kept = deadOne(queue, version);
      if (kept === undefined) return false;
      const { key, scope, value } = kept;
      keptOf(queue).set(key, { ...fresh, key, scope, value, version, place: version });
      return true;
    },
    discard: (queue, version) => {
      const kept = deadOne(queue, version);
      return kept !== undefined && keptOf(queue).delete(kept.key);
    },
    sweep: (queue, keptMs, limit) => {
      const old = allOf(queue, "dead").filter(({ deadAt }) => deadAt <= now() - keptMs);
      const swept = old.slice(0, limit);
      for (const { key } of swept) keptOf(queue).delete(key);
      return swept.length;
    },
  };
}

const fresh: Omit<Kept, "key" | "scope" | "value" | "version" | "place"> = {
  ...{ state: "pending", claim: null, notBefore: 0, attempts: 0, failures: 0, failedAt: null, error: "", deadAt: 0 },
};

function settleOne(kept: Kept, end: WriteEnd, now: number): "kept" | "gone" {
  const isSuperseded = kept.version !== kept.claim?.version;
  kept.claim = null;
  switch (end.is) {
    case "released":
      return "kept";
    case "applied":
      if (!isSuperseded) return "gone";
      Object.assign(kept, { place: kept.version, failures: 0 });
      return "kept";
    case "failed":
      kept.failures += 1;
      kept.notBefore = now + end.pauseMs;
      if (isSuperseded) return "kept";
      Object.assign(kept, { failedAt: kept.failedAt ?? now, error: end.error });
      if (end.counts) kept.attempts += 1;
      return "kept";
    case "dead":
      if (!isSuperseded)
        Object.assign(kept, { state: "dead", deadAt: now, error: end.error, attempts: kept.attempts + 1 });
      else Object.assign(kept, { place: kept.version, failures: 0, notBefore: 0 });
      return "kept";
  }
}
