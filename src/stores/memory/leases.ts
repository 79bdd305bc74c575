import type { AttemptId } from "../../base/names.ts";
import type { Grip, LeaseStore } from "../../contract/lease.ts";
import type { Scope } from "./shelf.ts";

interface Lease {
  readonly attempt: AttemptId;
  readonly token: number;
  readonly holder: string;
  until: number;
  /** Open transactions that rest on it: nobody takes it before they have ended. */
  checks: number;
}

/** `step`: at once and whole; `scoped`: inside the transaction that the caller holds. */
export function memoryLeases<Tx>(
  name: string,
  step: <T>(doing: string, work: (now: number) => T) => Promise<T>,
  scoped: <T>(tx: Tx, work: (scope: Scope) => T) => Promise<T>,
): LeaseStore<Tx> {
  const leases = new Map<string, Lease>();
  const held = (grip: Grip): Lease | undefined => {
    const lease = leases.get(grip.name);
    return lease?.attempt === grip.attempt ? lease : undefined;
  };

  return {
    name,
    acquire: ({ name, holder, attempt, leaseMs }) =>
      step("acquire", (now) => {
        const lease = leases.get(name);
        if (lease?.attempt === attempt) {
          lease.until = now + leaseMs;
          return { is: "acquired", token: lease.token };
        }
        if (lease !== undefined && (lease.until > now || lease.checks > 0)) {
          return { is: "held", holder: lease.holder, forMs: Math.max(0, lease.until - now) };
        }
        const token = (lease?.token ?? 0) + 1;
        leases.set(name, { attempt, token, holder, until: now + leaseMs, checks: 0 });
        return { is: "acquired", token };
      }),
    renew: (grip, leaseMs) =>
      step("renew", (now) => {
        const lease = held(grip);
        // what was released is over, and what is over may be taken: only what nobody took is still this one's
        if (lease === undefined || lease.until === released) return false;
        lease.until = now + leaseMs;
        return true;
      }),
    release: (grip) =>
      step("release", () => {
        const lease = held(grip);
        if (lease === undefined || lease.until === released) return false;
        lease.until = released;
        return true;
      }),
    look: (name) =>
      step("look", (now) => {
        const lease = leases.get(name);
        return lease === undefined
          ? null
          : { token: lease.token, holder: lease.holder, forMs: Math.max(0, lease.until - now) };
      }),
    check: (tx, grip) =>
      scoped(tx, (scope) => {
        const lease = held(grip);
        if (lease === undefined || lease.until === released) return false;
        lease.checks += 1;
        let isOpen = true;
        const end = () => {
          // a savepoint that is undone ends it before its transaction does
          if (isOpen) lease.checks -= 1;
          isOpen = false;
        };
        scope.commit.push(end);
        scope.undo.push(end);
        return true;
      }),
  };
}

const released = -Infinity;
