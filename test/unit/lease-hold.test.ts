import { describe, expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { stand, waiting } from "./lease-hold-stand.ts";

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

  test("waits for a store that hangs no longer than the lease would last", async () => {
    const { clock, one, faults } = stand();
    faults.acquire = "hang";
    let settled = false;
    const held = one
      .hold(() => 1)
      .finally(() => {
        settled = true;
      });
    const rejected = expect(held).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    await clock.advance(29_999);
    expect(settled).toBe(false);
    await clock.advance(1);
    await rejected;
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

  test("to a store that throws instead of rejecting fails nothing", async () => {
    const clock = manualClock();
    const leases = memoryLedger({ clock }).leases;
    if (leases === undefined) throw new Error("no leases");
    const store = {
      ...leases,
      release: () => {
        throw new Error("no promise");
      },
    };
    const lease = createReprise({ service: "shop", clock }).lease("export", { store });
    expect(await lease.hold(() => 1)).toEqual({ status: "done", value: 1 });
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

  test("waits for no ledger where it has a store of its own, and is refused once the instance closes", async () => {
    const clock = manualClock();
    const store = memoryLedger({ clock }).leases;
    if (store === undefined) throw new Error("no leases");
    const away = { ...memoryLedger({ clock }), open: () => new Promise<void>(() => {}) };
    const reprise = createReprise({ service: "shop", clock, ledger: away });
    const lease = reprise.lease("export", { store });
    expect(await lease.hold(() => 1)).toEqual({ status: "done", value: 1 });
    void reprise.close();
    await expect(lease.hold(() => 1)).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
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
