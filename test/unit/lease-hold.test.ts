import { describe, expect, test } from "vitest";
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

function stand() {
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

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const lost = expect.objectContaining({ code: "REPRISE_LEASE_LOST" });
const fenced = expect.objectContaining({ code: "REPRISE_FENCED" });

/** Work that waits until it is let go, and tells what it was given. */
function waiting() {
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

describe("whoever finds a lease free", () => {
  test("works, is told the token, and gives it back at the end, so that the next one has a greater token", async () => {
    const { one, other, look } = stand();
    expect(await one.hold(({ token }) => token)).toEqual({ status: "done", value: 1 });
    expect(await look()).toEqual({ token: 1, holder: "one", forMs: 0 });
    expect(await other.hold(async ({ token }) => token)).toEqual({ status: "done", value: 2 });
  });

  test("gives it back where its work throws, and the error is its own", async () => {
    const { one, look } = stand();
    const failure = new Error("no");
    await expect(
      one.hold(() => {
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect((await look())?.forMs).toBe(0);
  });

  test("keeps it for as long as it works: it is renewed at a third", async () => {
    const { clock, one, other, calls } = stand();
    for (const lease of [one, other]) await lease.hold(() => 1);
    const timers = clock.pending();
    const { work, begun, end, given } = waiting();
    const held = one.hold(work);
    await begun;
    await clock.advance(300_000);
    expect(calls.renew).toBe(30);
    expect((await other.hold(() => 1)).status).toBe("held");
    expect(given.signal?.aborted).toBe(false);
    end();
    expect(await held).toEqual({ status: "done", value: "worked" });
    expect(clock.pending()).toBe(timers);
  });

  test("takes it for as long as is declared", async () => {
    const { instance, clock } = stand();
    const { work, begun, end } = waiting();
    const held = instance("one").lease("import", { lease: "90s" }).hold(work);
    await begun;
    await clock.advance(1_000);
    expect(await instance("other").lease("import").hold(work)).toEqual({
      status: "held",
      holder: "one",
      forMs: 89_000,
    });
    end();
    await held;
  });

  test("has it, where the answer to its request was lost: the same attempt asks again", async () => {
    const { clock, one, faults, calls } = stand();
    faults.acquire = "lose";
    const held = one.hold(({ token }) => token);
    await clock.advance(10);
    faults.acquire = undefined as never;
    await clock.advance(1_000);
    expect(await held).toEqual({ status: "done", value: 1 });
    expect(calls.acquire).toBe(2);
  });
});

describe("whoever finds it held", () => {
  test("walks away at once, told by whom and for how long, having asked once", async () => {
    const { clock, one, other, calls } = stand();
    const { work, begun, end } = waiting();
    const held = one.hold(work);
    await begun;
    await clock.advance(4_000);
    const before = calls.acquire;
    let ran = false;
    const walked = await other.hold(() => {
      ran = true;
    });
    expect(walked).toEqual({ status: "held", holder: "one", forMs: 26_000 });
    expect(calls.acquire - before).toBe(1);
    expect(calls.release).toBe(0);
    expect(ran).toBe(false);
    end();
    await held;
  });

  test("is an attempt of its own in the same process too", async () => {
    const { one } = stand();
    const { work, begun, end } = waiting();
    const held = one.hold(work);
    await begun;
    expect((await one.hold(() => 1)).status).toBe("held");
    end();
    await held;
  });

  test("is rejected where the store does not answer, and has not worked", async () => {
    const { clock, one, faults } = stand();
    faults.acquire = "fail";
    let ran = false;
    const held = one.hold(() => {
      ran = true;
    });
    const rejected = expect(held).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    await clock.advance(10_000);
    await rejected;
    expect(ran).toBe(false);
  });
});

describe("whoever loses it", () => {
  test("is told so when no renewal was answered in time, and what it returns is not told as done", async () => {
    const { clock, one, faults } = stand();
    await one.hold(() => 1);
    const timers = clock.pending();
    const { work, begun, end, given } = waiting();
    const held = one.hold(work);
    await begun;
    faults.renew = "hang";
    await clock.advance(29_999);
    expect(given.signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(given.signal?.reason).toEqual(lost);
    end();
    await expect(held).rejects.toEqual(lost);
    expect(clock.pending()).toBe(timers);
  });

  test("is told so when another has taken it over", async () => {
    const { clock, one, takeOver, look } = stand();
    const { work, begun, end, given } = waiting();
    const held = one.hold(work);
    await begun;
    expect(await takeOver()).toEqual({ is: "acquired", token: 2 });
    await clock.advance(10_000);
    expect(given.signal?.reason).toEqual(fenced);
    end();
    await expect(held).rejects.toEqual(fenced);
    // giving it back ended nothing of the other's
    expect((await look())?.forMs).toBeGreaterThan(0);
  });

  test("is told so at the end where no timer had its turn before", async () => {
    const { clock, one, faults } = stand();
    faults.renew = "hang";
    const begun = gate();
    const held = one.hold(async () => {
      begun.open();
      await new Promise<void>((resolve) => clock.timer(30_000, resolve));
      return "late";
    });
    await begun.opened;
    const rejected = expect(held).rejects.toEqual(lost);
    await clock.advance(30_000);
    await rejected;
  });

  test("is told its own error where the work throws one", async () => {
    const { clock, one, faults } = stand();
    faults.renew = "hang";
    const held = one.hold(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped")))),
    );
    const rejected = expect(held).rejects.toThrow("stopped");
    await clock.advance(30_000);
    await rejected;
  });
});

describe("a transaction of the holder's", () => {
  test("commits while nobody else has the lease", async () => {
    const { one, rows } = stand();
    const told = await one.hold(({ transaction }) =>
      transaction(async (tx) => {
        tx.set("export", 1);
        return "saved";
      }),
    );
    expect(told).toEqual({ status: "done", value: "saved" });
    expect(rows.get("export")).toBe(1);
  });

  test("is rolled back where another has taken it over meanwhile, which aborts the signal", async () => {
    const { one, rows, takeOver } = stand();
    let aborted: unknown;
    const held = one.hold(async ({ transaction, signal }) => {
      const saving = transaction(async (tx) => {
        tx.set("export", "late");
        await takeOver();
      });
      await expect(saving).rejects.toEqual(fenced);
      aborted = signal.reason;
      await expect(transaction(async (tx) => tx.set("export", "later"))).rejects.toEqual(fenced);
      return "done?";
    });
    await expect(held).rejects.toEqual(fenced);
    expect(aborted).toEqual(fenced);
    expect(rows.size).toBe(0);
  });

  test("that is still open when its work has returned does not commit after the lease was given back", async () => {
    const { one, rows } = stand();
    const going = gate();
    let late: Promise<unknown> = Promise.resolve();
    await one.hold(({ transaction }) => {
      late = transaction(async (tx) => {
        await going.opened;
        tx.set("export", "late");
      });
      late.catch(() => {});
    });
    going.open();
    await expect(late).rejects.toEqual(fenced);
    expect(rows.size).toBe(0);
  });

  test("that throws is rolled back, and loses nothing else", async () => {
    const { one, rows } = stand();
    const told = await one.hold(async ({ transaction, signal }) => {
      const failing = transaction(async (tx) => {
        tx.set("export", 1);
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      return signal.aborted;
    });
    expect(told).toEqual({ status: "done", value: false });
    expect(rows.size).toBe(0);
  });
});

describe("whoever no longer wants the work", () => {
  test("aborts its signal with the same reason, and the lease is kept until it has ended", async () => {
    const { clock, one, other } = stand();
    const { work, begun, end, given } = waiting();
    const caller = new AbortController();
    const held = one.hold(work, { signal: caller.signal });
    await begun;
    const reason = new Error("gone");
    caller.abort(reason);
    expect(given.signal?.reason).toBe(reason);
    await clock.advance(60_000);
    expect((await other.hold(() => 1)).status).toBe("held");
    end();
    // it ended well all the same, and nobody else was at it
    expect(await held).toEqual({ status: "done", value: "worked" });
  });

  test("acquires nothing where it was aborted before", async () => {
    const { one, calls } = stand();
    const reason = new Error("gone");
    await expect(one.hold(() => 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(calls.acquire).toBe(0);
  });
});

describe("giving it back", () => {
  test("waits for a store that hangs two seconds at most", async () => {
    const { clock, one, faults } = stand();
    faults.release = "hang";
    const held = one.hold(() => 1);
    await clock.advance(1_999);
    expect(await Promise.race([held, Promise.resolve("waits")])).toBe("waits");
    await clock.advance(1);
    expect(await held).toEqual({ status: "done", value: 1 });
  });

  test("that fails fails nothing", async () => {
    const { one, faults } = stand();
    faults.release = "fail";
    expect(await one.hold(() => 1)).toEqual({ status: "done", value: 1 });
  });
});

describe("an instance that closes", () => {
  test("waits for what is held", async () => {
    const { instance } = stand();
    const reprise = instance("one");
    const { work, begun, end } = waiting();
    const held = reprise.lease("export").hold(work);
    await begun;
    const closed = reprise.close();
    await expect(reprise.lease("export").hold(() => 1)).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
    end();
    expect(await held).toEqual({ status: "done", value: "worked" });
    await closed;
  });

  test("aborts after ten seconds what has not ended", async () => {
    const { clock, instance } = stand();
    const reprise = instance("one");
    const { work, begun, end, given } = waiting();
    const held = reprise.lease("export").hold(work);
    await begun;
    const closed = reprise.close();
    await clock.advance(10_000);
    expect(given.signal?.reason).toMatchObject({ code: "REPRISE_CLOSED" });
    const rejected = expect(held).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
    end();
    await rejected;
    await closed;
  });
});

describe("a declaration", () => {
  test("needs no ledger where it has a store of its own, which fences no transaction", async () => {
    const clock = manualClock();
    const store = memoryLedger({ clock }).leases;
    if (store === undefined) throw new Error("no leases");
    const reprise = createReprise({ service: "shop", clock });
    const told = await reprise.lease("export", { store }).hold((right) => Object.keys(right).toSorted());
    expect(told).toEqual({ status: "done", value: ["signal", "token"] });
  });

  test("keeps services apart, however their names and the leases' are cut", async () => {
    const clock = manualClock();
    const ledger = memoryLedger({ clock });
    const pairs = [
      ["a", "b"],
      ["a/b", ""],
      ['a","b', "c"],
      ["a", 'b","c'],
    ].filter(([, name]) => name !== "");
    const ends: (() => void)[] = [];
    const held = pairs.map(async ([service = "", name = ""]) => {
      const { work, begun, end } = waiting();
      ends.push(end);
      const holding = createReprise({ service, ledger, clock }).lease(name).hold(work);
      await Promise.race([begun, holding]);
      return holding;
    });
    await clock.advance(1);
    for (const end of ends) end();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual(["done", "done", "done"]);
  });

  test("is refused with an empty name, one that is too long, or a lease that is no duration", () => {
    const { lease } = stand().instance("one");
    const bad = expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" });
    expect(() => lease("")).toThrow(bad);
    expect(() => lease("x".repeat(255))).toThrow(bad);
    expect(() => lease("export", { lease: "soon" as "1s" })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DURATION" }),
    );
  });

  test("says so at the first use where nothing keeps leases", async () => {
    const { leases: _, ...ledger } = memoryLedger();
    const without = createReprise({ service: "shop", ledger }).lease("export");
    await expect(without.hold(() => 1)).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    const { lease } = createReprise({ service: "shop" }) as unknown as { lease: (name: string) => typeof without };
    await expect(lease("export").hold(() => 1)).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });
});
