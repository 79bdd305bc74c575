import { randomUUID } from "node:crypto";
import { type AttemptId, sha256 } from "../../base/names.ts";
import type { Acquired, Grip, Held, LeaseRequest, LeaseStore } from "../../contract/lease.ts";
import type { Host } from "./host.ts";
import type { Item, ItemKey } from "./item-store.ts";
import { leftUntil } from "./store-clock.ts";

interface Lease {
  readonly attempt: AttemptId;
  readonly holder: string;
  readonly token: number;
  /** `null`: it was released. It stays, for its token has to be exceeded by the next one. */
  readonly until: number | null;
  /** Of the last write, as a document's. */
  readonly mark: string;
}

/** One item each, replaced by compare-and-set. */
export function itemLeases({ name: store, items, clock, call, check }: Host): LeaseStore<never> {
  /** Writes over what was seen. False: it was changed since. */
  const write = async (key: ItemKey, seen: Item | null, lease: Omit<Lease, "mark">, signal: AbortSignal) => {
    const mark = randomUUID();
    const content = check({ text: JSON.stringify({ ...lease, mark } satisfies Lease), overAt: null });
    const tag =
      seen === null ? await items.insert(key, content, signal) : await items.replace(key, content, seen.tag, signal);
    if (tag !== null) return true;
    // clients repeat a request whose answer was lost
    const there = await items.get(key, signal);
    return there !== null && leaseOf(there).mark === mark;
  };

  const acquire = async ({ name, holder, attempt, leaseMs }: LeaseRequest, signal: AbortSignal) => {
    const key = keyOf(name);
    for (let seen: Item | null = null; ; seen = await items.get(key, signal)) {
      const lease = seen === null ? null : leaseOf(seen);
      const jumps = clock.jumps();
      const { earliest, latest } = clock.moment();
      const isOwn = lease?.attempt === attempt;
      if (lease !== null && !isOwn && lease.until !== null && lease.until > earliest) {
        return { is: "held", holder: lease.holder, forMs: leftUntil(lease.until, clock.moment()) } satisfies Held;
      }
      const token = isOwn ? lease.token : (lease?.token ?? 0) + 1;
      const isWritten = await write(key, seen, { attempt, holder, token, until: latest + leaseMs }, signal);
      if (isWritten && jumps === clock.jumps()) return { is: "acquired", token } satisfies Acquired;
    }
  };

  /** What a holder makes of its lease. False: it is not its own any more. */
  const change = async ({ name, attempt }: Grip, until: () => number | null, signal: AbortSignal) => {
    const key = keyOf(name);
    for (;;) {
      const seen = await items.get(key, signal);
      const lease = seen === null ? null : leaseOf(seen);
      if (lease === null || lease.attempt !== attempt || lease.until === null) return false;
      const jumps = clock.jumps();
      const isWritten = await write(key, seen, { ...lease, until: until() }, signal);
      if (isWritten && jumps === clock.jumps()) return true;
    }
  };

  return {
    name: store,
    acquire: (request) => call("acquire lease", (signal) => acquire(request, signal)),
    renew: (grip, leaseMs) =>
      call("renew lease", (signal) => change(grip, () => clock.moment().latest + leaseMs, signal)),
    release: (grip) => call("release lease", (signal) => change(grip, () => null, signal)),
    look: (name) =>
      call("look at lease", async (signal) => {
        const seen = await items.get(keyOf(name), signal);
        if (seen === null) return null;
        const { token, holder, until } = leaseOf(seen);
        return { token, holder, forMs: until === null ? 0 : Math.max(0, leftUntil(until, clock.moment())) };
      }),
  };
}

function leaseOf({ text }: Item): Lease {
  return JSON.parse(text) as Lease;
}

/** A digest in place of the name, which may hold what the name of a partition may not. */
function keyOf(name: string): ItemKey {
  return { partition: `lease ${sha256(name)}`, row: "" };
}
