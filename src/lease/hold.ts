import { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { encodeScalars } from "../base/scalar.ts";
import { onAbort } from "../base/signals.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Grip, LeaseStore } from "../contract/lease.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Lease } from "./lease.ts";
import type { FencedHold, Hold, HoldOptions, HoldOutcome, LeaseDeclaration, NamedLease } from "./surface.ts";
import { takeLease } from "./take.ts";

/** What the instance lends to its leases. */
export interface LeaseHost {
  readonly service: string;
  readonly instance: string;
  readonly clock: () => Clock;
  /** What needs no ledger begins. Throws where the instance may not start, and once it closes. */
  readonly use: () => void;
  /** The ledger, opened at the first use; `undefined`: there is none. Rejects once the instance closes. */
  readonly ledger: () => Promise<Ledger<unknown> | undefined>;
  /** Aborted when the instance closes and no longer waits. */
  readonly closing: Abortable;
}

export interface Leases {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION */
  readonly declare: (name: string, declaration?: LeaseDeclaration) => NamedLease<Hold>;
  /** Waits for all work under way. */
  readonly drain: () => Promise<void>;
}

/** What a store takes. */
const longestName = 255;

export function createLeases(host: LeaseHost): Leases {
  const underWay = new UnderWay<Promise<unknown>>();

  const declare: Leases["declare"] = (name, { lease, store } = {}) => {
    const where = `lease '${name}'`;
    const leaseMs = lease === undefined ? defaults.operation.leaseMs : milliseconds(lease, `${where}, lease`);
    // no service and no name can be cut differently into the same text
    const stored = typeof name === "string" ? encodeScalars([host.service, "hold", name], where) : "";
    if (name === "" || stored === "" || stored.length > longestName) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where,
        why: `its name is empty, or with the service's longer than ${longestName} characters.`,
        mend: "Name the work in a few words, and put into the store what is longer.",
      });
    }
    const kept = async (): Promise<Kept> => {
      if (store !== undefined) {
        host.use();
        return { leases: store, ledger: undefined };
      }
      const ledger = await host.ledger();
      const leases = ledger?.leases;
      if (leases === undefined) {
        throw new RepriseError("REPRISE_BAD_DECLARATION", {
          where,
          why: ledger === undefined ? "this reprise has no ledger." : `the ledger '${ledger.name}' keeps no leases.`,
          mend: "Give it a store of its own.",
        });
      }
      const isFencing = ledger?.transactional === true && leases.check !== undefined;
      return { leases, ledger: isFencing ? ledger : undefined };
    };
    return {
      name,
      hold: async (work, options = {}) => {
        const holding = holdLease(host, { name, stored, leaseMs, kept }, work, options);
        const leave = underWay.add(holding);
        try {
          return await holding;
        } finally {
          leave();
        }
      },
    };
  };

  return {
    declare,
    drain: async () => {
      await Promise.allSettled(underWay);
    },
  };
}

/** Where a lease lies. `ledger`: whose transactions it fences. */
interface Kept {
  readonly leases: LeaseStore<unknown>;
  readonly ledger: Ledger<unknown> | undefined;
}

interface Declared {
  readonly name: string;
  readonly stored: string;
  readonly leaseMs: number;
  readonly kept: () => Promise<Kept>;
}

async function holdLease<T>(
  host: LeaseHost,
  { name, stored, leaseMs, kept }: Declared,
  work: (right: Hold) => T | Promise<T>,
  { signal }: HoldOptions,
): Promise<HoldOutcome<T>> {
  signal?.throwIfAborted();
  const { leases, ledger } = await kept();
  const { clock, instance: holder, closing } = host;
  const taken = await takeLease({ clock: clock(), leases, name: stored, holder, operation: name, leaseMs, closing });
  if (taken.is === "held") return { status: "held", holder: taken.holder, forMs: taken.forMs };

  const { grip, lease, giveBack } = taken;
  const stopping = new Abortable();
  const abort = (reason: Error) => stopping.abort(reason);
  const ignoreLoss = lease.losing.onAbort(abort);
  const ignoreCaller = signal === undefined ? noop : onAbort(signal, () => abort(signal.reason as Error));
  try {
    // while it was acquired it may have ended, the caller gone, or the instance closed
    lease.check();
    signal?.throwIfAborted();
    const value = await work(rightOf(stopping, grip.token, ledger, { leases, grip, lease, name }));
    lease.check();
    return { status: "done", value };
  } finally {
    ignoreLoss();
    ignoreCaller();
    // no transaction begins any more
    lease.lose(new RepriseError("REPRISE_FENCED", { operation: name }));
    await giveBack();
  }
}

interface Fence {
  readonly leases: LeaseStore<unknown>;
  readonly grip: Grip;
  readonly lease: Lease;
  readonly name: string;
}

function rightOf(stopping: Abortable, token: number, ledger: Ledger<unknown> | undefined, fence: Fence): Hold {
  const { signal } = stopping;
  if (ledger === undefined) return { signal, token };
  const fenced: FencedHold<unknown> = { signal, token, transaction: (work) => fencedTransaction(ledger, fence, work) };
  return fenced;
}

/** Asked last: whoever asked first would hold everybody off while its writes go on, or while it is stopped. */
async function fencedTransaction<T>(
  ledger: Ledger<unknown>,
  { leases, grip, lease, name }: Fence,
  work: (tx: unknown) => Promise<T>,
): Promise<T> {
  lease.check();
  return ledger.transaction(async (tx) => {
    const value = await work(tx);
    if ((await leases.check?.(tx, grip)) === true) return value;
    const fenced = new RepriseError("REPRISE_FENCED", { operation: name });
    lease.lose(fenced);
    throw fenced;
  });
}

function noop(): void {}
