import { expect } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import type { LeaseStore } from "../../src/contract/lease.ts";
import { createReprise } from "../../src/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";

type Method = "acquire" | "renew" | "release";
type Fault = "fail" | "lose" | "hang";

/** A ledger's leases that a test counts, cuts off, or lets hang. */
function faultyLeases(leases: LeaseStore<MemoryTransaction>) {
  const faults: Partial<Record<Method, Fault>> = {};
  const calls: Record<Method, number> = { acquire: 0, renew: 0, release: 0 };
  const away = new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "a lease" });
  const through = async <T>(method: Method, call: () => Promise<T>): Promise<T> => {
    calls[method] += 1;
    const fault = faults[method];
    if (fault === "fail") throw away;
    if (fault === "hang") return new Promise<T>(() => {});
    const answer = await call();
    if (fault === "lose") throw away;
    return answer;
  };
  const store: LeaseStore<MemoryTransaction> = {
    ...leases,
    acquire: (request) => through("acquire", () => leases.acquire(request)),
    renew: (grip, leaseMs) => through("renew", () => leases.renew(grip, leaseMs)),
    release: (grip) => through("release", () => leases.release(grip)),
  };
  return { store, faults, calls };
}

export function stand() {
  const clock = manualClock();
  const memory = memoryLedger({ clock });
  if (memory.leases === undefined) throw new Error("no leases");
  const leases = memory.leases;
  const { store, faults, calls } = faultyLeases(leases);
  const ledger = { ...memory, leases: store };
  const instance = (name: string) => createReprise({ service: "shop", ledger, clock, instance: name });
  const stored = '["shop","hold","export"]';
  return {
    clock,
    rows: memory.rows,
    faults,
    calls,
    instance,
    one: instance("one").lease("export"),
    other: instance("other").lease("export"),
    look: () => leases.look(stored),
    /** As if this one had not renewed it for so long. */
    takeOver: async () => {
      const standing = await leases.look(stored);
      await clock.advance(0);
      clock.jump((standing?.forMs ?? 0) + 1);
      const attempt = "f".repeat(32) as Parameters<typeof leases.acquire>[0]["attempt"];
      return leases.acquire({ name: stored, holder: "usurper", attempt, leaseMs: 30_000 });
    },
  };
}

export function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

export const lost = expect.objectContaining({ code: "REPRISE_LEASE_LOST" });
export const fenced = expect.objectContaining({ code: "REPRISE_FENCED" });

/** Work that waits until it is let go, and tells what it was given. */
export function waiting() {
  const begun = gate();
  const end = gate();
  const given: { signal?: AbortSignal; token?: number } = {};
  const work = async (right: { readonly signal: AbortSignal; readonly token: number }) => {
    Object.assign(given, { signal: right.signal, token: right.token });
    begun.open();
    await end.opened;
    return "worked";
  };
  return { work, begun: begun.opened, end: end.open, given };
}
