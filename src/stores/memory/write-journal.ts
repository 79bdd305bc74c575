import { createNewestWrites } from "../../contract/newest-writes.ts";
import type { WriteJournal } from "../../contract/write-journal.ts";

/** A step of the store, as the ledger takes it. */
type Step = <T>(doing: string, work: (now: number) => T) => Promise<T>;

export function memoryWriteJournal(step: Step, now: () => number): WriteJournal {
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
