import { describe, expect, test } from "vitest";
import { fenced, gate, lost, stand, waiting } from "./lease-hold-stand.ts";

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

  test("that begins when its work has ended is refused before it does anything", async () => {
    const { one, rows } = stand();
    let begin = async (): Promise<unknown> => undefined;
    let ran = false;
    const told = await one.hold(({ transaction, signal }) => {
      begin = () =>
        transaction(async (tx) => {
          ran = true;
          tx.set("export", "late");
        });
      return signal;
    });
    await expect(begin()).rejects.toEqual(fenced);
    expect(ran).toBe(false);
    expect(rows.size).toBe(0);
    // it ended well
    expect(told.status === "done" && told.value.aborted).toBe(false);
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
