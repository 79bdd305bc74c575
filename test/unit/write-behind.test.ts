import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { writeBehindStand } from "./write-behind-stand.ts";

const { gatherMs, leaseMs, roomMs, batch } = defaults.writeBehind;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("acknowledging", () => {
  test("a write resolves when it is journalled, before the source knows of it, and is pending until it arrived", async () => {
    const stand = writeBehindStand();
    await stand.write("a", 1);
    expect(stand.source.batches).toEqual([]);
    expect(await stand.queue.pending("a")).toEqual({ value: 1 });
    stand.queue.start();
    await stand.clock.advance(gatherMs);
    expect(stand.source.values.get("a")).toBe(1);
    expect(await stand.queue.pending("a")).toBeUndefined();
  });

  test("writes of one turn are journalled in one transaction, in the order of their calls", async () => {
    const stand = writeBehindStand();
    const appended: number[] = [];
    stand.journal.current = {
      ...stand.inMemory,
      append: (request) => {
        appended.push(request.writes.length);
        return stand.inMemory.append(request);
      },
    };
    await Promise.all(range(50).map((i) => stand.write(`k${i % 10}`, i)));
    expect(appended).toEqual([50]);
    expect(await stand.queue.pending("k3")).toEqual({ value: 43 });
  });

  test("what the caller changes afterwards is not written", async () => {
    const stand = writeBehindStand();
    const value = { count: 1 };
    const written = stand.write("a", value);
    value.count = 2;
    await written;
    await stand.queue.flush();
    expect(stand.source.values.get("a")).toEqual({ count: 1 });
  });

  test("a value that cannot be stored is refused at once, and nothing of it is kept", async () => {
    const stand = writeBehindStand();
    await expect(stand.write("a", () => 1)).rejects.toMatchObject({ code: "REPRISE_NOT_STORABLE" });
    expect(await stand.queue.pending("a")).toBeUndefined();
  });

  test("a journal that is away rejects the write, and the read that has to ask it", async () => {
    const stand = writeBehindStand();
    const away = new Error("away");
    stand.journal.current = {
      ...stand.inMemory,
      append: () => Promise.reject(away),
      pending: () => Promise.reject(away),
    };
    await expect(stand.write("a", 1)).rejects.toBe(away);
    await expect(stand.queue.pending("a")).rejects.toBe(away);
  });

  test("a ledger without a journal of writes is named with its mend", async () => {
    const { create } = writeBehindStand();
    const queue = create({ journal: async () => undefined });
    await expect(queue.write("a", {}, 1)).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });
});

describe("backpressure", () => {
  test("a write that finds no room waits for it, and enters when something has arrived", async () => {
    const stand = writeBehindStand({ most: 2 });
    await Promise.all([stand.write("a", 1), stand.write("b", 1)]);
    let entered = false;
    const third = stand.write("c", 1).then(() => {
      entered = true;
    });
    await stand.clock.advance(1_000);
    expect(entered).toBe(false);
    // a pending key needs no room, but whoever waits goes first: its own key's writes must not be overtaken
    stand.queue.start();
    await stand.clock.advance(1_000);
    await third;
    await stand.queue.flush();
    expect(stand.source.values.get("c")).toBe(1);
  });

  test("a write that finds none in time is turned away, and was not written", async () => {
    const stand = writeBehindStand({ most: 1 });
    await stand.write("a", 1);
    const turnedAway = expect(stand.write("b", 1)).rejects.toMatchObject({
      code: "REPRISE_WRITE_QUEUE_FULL",
      details: { cache: "views", most: 1, afterMs: roomMs },
    });
    await stand.clock.advance(roomMs + 1_000);
    await turnedAway;
    expect(await stand.queue.pending("b")).toBeUndefined();
  });

  test("of two writes of a key that wait for room the later one is sent", async () => {
    const stand = writeBehindStand({ most: 1 });
    await stand.write("a", 1);
    const waiting = [stand.write("b", "older"), stand.write("b", "newer")];
    stand.queue.start();
    await stand.clock.advance(1_000);
    await Promise.all(waiting);
    await stand.queue.flush();
    expect(stand.source.values.get("b")).toBe("newer");
  });

  test("a signal ends the waiting, and what waited was not written", async () => {
    const stand = writeBehindStand({ most: 1 });
    await stand.write("a", 1);
    const controller = new AbortController();
    const left = expect(stand.write("b", 1, controller.signal)).rejects.toThrow("enough");
    await stand.clock.advance(500);
    controller.abort(new Error("enough"));
    await left;
    stand.queue.start();
    await stand.queue.flush();
    expect(stand.source.values.has("b")).toBe(false);
    await expect(stand.write("b", 1, controller.signal)).rejects.toThrow("enough");
  });

  test("one signal for many writes gets one listener, not a leak warning, and keeps none", async () => {
    const stand = writeBehindStand();
    const { signal } = new AbortController();
    const writes = range(20).map((i) => stand.write(`k${i}`, i, signal));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await Promise.all(writes);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("sending", () => {
  test("only the newest value of a key is sent, with other keys in one call", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    for (const i of range(20)) await stand.write(`k${i % 2}`, i);
    await stand.clock.advance(gatherMs);
    expect(stand.source.batches).toEqual([["k0=18", "k1=19"]]);
  });

  test("many keys go in batches, each as soon as it is full", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    await Promise.all(range(batch * 2 + 1).map((i) => stand.write(`k${i}`, i)));
    await stand.clock.advance(0);
    expect(stand.source.batches.map((one) => one.length)).toEqual([batch, batch, 1]);
  });

  test("a newer value waits for the call under way, then goes, and is pending all the while", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    stand.hold(true);
    await stand.write("a", 1);
    await stand.clock.advance(gatherMs);
    await stand.write("a", 2);
    await stand.clock.advance(10_000);
    expect(stand.calls.length).toBe(1);
    expect(await stand.queue.pending("a")).toEqual({ value: 2 });
    stand.call(0).arrive();
    await stand.clock.advance(1_000);
    expect(await stand.queue.pending("a")).toEqual({ value: 2 });
    stand.call(1).arrive();
    await stand.clock.advance(0);
    expect(stand.source.batches).toEqual([["a=1"], ["a=2"]]);
    expect(await stand.queue.pending("a")).toBeUndefined();
  });

  test("versions rise with each write of a key, also for a queue that begins anew with no memory of the last", async () => {
    const versions: number[] = [];
    const run = async (atMs: number) => {
      const stand = writeBehindStand({ journal: undefined, acceptLoss: "5s" });
      await stand.clock.advance(atMs);
      stand.hold(true);
      stand.queue.start();
      await stand.write("a", 1);
      await stand.clock.advance(2_500);
      versions.push(stand.call(0).writes[0]?.version ?? 0);
    };
    await run(0);
    await run(60_000);
    expect(versions[0]).toBeLessThan(versions[1] ?? 0);
  });

  test("where loss is accepted a value is sent within half of it, and needs no journal", async () => {
    const stand = writeBehindStand({ journal: undefined, acceptLoss: "5s" });
    stand.queue.start();
    await stand.write("a", 1);
    expect(await stand.queue.pending("a")).toEqual({ value: 1 });
    await stand.clock.advance(2_499);
    expect(stand.source.batches).toEqual([]);
    await stand.clock.advance(1);
    expect(stand.source.values.get("a")).toBe(1);
  });
});

describe("several processes on one journal", () => {
  test("each reads what the other has written, and sends what the other has not", async () => {
    const stand = writeBehindStand();
    const other = stand.create();
    await stand.write("a", 1);
    expect(await other.pending("a")).toEqual({ value: 1 });
    other.start();
    await stand.clock.advance(1_000);
    expect(stand.source.values.get("a")).toBe(1);
    expect(await stand.queue.pending("a")).toBeUndefined();
  });

  test("a crashed one's writes are taken over within seconds", async () => {
    const stand = writeBehindStand();
    await stand.write("a", 1);
    // it claimed and was killed
    await stand.inMemory.claim({ queue: "views", attempt: "gone" as never, leaseMs, limit: 10 });
    stand.queue.start();
    await stand.clock.advance(leaseMs - 1);
    expect(stand.source.batches).toEqual([]);
    await stand.clock.advance(1_001);
    expect(stand.source.values.get("a")).toBe(1);
  });

  test("a long call keeps its claim: nobody sends the same key beside it", async () => {
    const stand = writeBehindStand();
    const other = stand.create();
    stand.hold(true);
    await stand.write("a", 1);
    stand.queue.start();
    await stand.clock.advance(gatherMs);
    other.start();
    await stand.clock.advance(leaseMs * 3);
    expect(stand.calls.length).toBe(1);
    stand.call(0).arrive();
    await stand.clock.advance(0);
    expect(stand.queue.counters.arrived).toBe(1);
  });

  test("an owner that could not renew aborts its call, and its acknowledgement changes nothing", async () => {
    const stand = writeBehindStand();
    stand.hold(true);
    await stand.write("a", 1);
    stand.queue.start();
    await stand.clock.advance(0);
    stand.journal.current = stand.inMemory;
    // another process judges the lease over, as if this one had been suspended
    stand.clock.jump(leaseMs + 1);
    const taken = await stand.inMemory.claim({ queue: "views", attempt: "other" as never, leaseMs, limit: 10 });
    expect(taken.map(({ key }) => key)).toEqual(["a"]);
    await stand.clock.advance(leaseMs / 3);
    expect(stand.call(0).signal.aborted).toBe(true);
    stand.call(0).arrive();
    await stand.clock.advance(0);
    expect(await stand.queue.pending("a")).toEqual({ value: 1 });
  });
});

test("what was claimed so slowly that the lease may be over is not sent under it", async () => {
  const stand = writeBehindStand();
  let answer = () => {};
  stand.journal.current = {
    ...stand.inMemory,
    claim: async (request) => {
      const claimed = await stand.inMemory.claim(request);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return claimed;
    },
  };
  await stand.write("a", 1);
  stand.queue.start();
  await stand.clock.advance(leaseMs);
  stand.journal.current = stand.inMemory;
  const other = stand.create();
  stand.hold(true);
  other.start();
  await stand.clock.advance(0);
  answer();
  await stand.clock.advance(100);
  expect(stand.calls.length).toBe(1);
});

test("an owner whose journal is away ends its call before anybody else may send the key", async () => {
  const stand = writeBehindStand();
  stand.hold(true);
  await stand.write("a", 1);
  stand.journal.current = { ...stand.inMemory, renew: () => Promise.reject(new Error("away")) };
  stand.queue.start();
  await stand.clock.advance(0);
  const first = stand.call(0);
  first.signal.addEventListener("abort", () => first.fail(new Error("aborted")));
  await stand.clock.advance(leaseMs - defaults.abortMs);
  expect(first.signal.aborted).toBe(true);
  expect(stand.calls.length).toBe(1);
});

describe("closing", () => {
  test("takes no more writes, and brings what was acknowledged to the source", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    await stand.write("a", 1);
    const closed = stand.queue.close({ drainMs: 10_000 });
    await expect(stand.write("b", 1)).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
    await closed;
    expect(stand.source.values.get("a")).toBe(1);
    expect(stand.clock.pending()).toBe(0);
  });

  test("ends in time where the source is away; what is left stays journalled and is due at once for others", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    stand.away(true);
    await stand.write("a", 1);
    let closed = false;
    const closing = stand.queue.close({ drainMs: 10_000 }).then(() => {
      closed = true;
    });
    await stand.clock.advance(9_999);
    expect(closed).toBe(false);
    await stand.clock.advance(2_000);
    await closing;
    stand.away(false);
    const next = stand.create();
    next.start();
    await stand.clock.advance(60_000);
    expect(stand.source.values.get("a")).toBe(1);
    await next.close({ drainMs: 1 });
    expect(stand.clock.pending()).toBe(0);
  });

  test("aborts a call that hangs past the time for closing, and gives its writes back when it ends", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    stand.hold(true);
    await stand.write("a", 1);
    await stand.clock.advance(gatherMs);
    const closing = stand.queue.close({ drainMs: 1_000 });
    await stand.clock.advance(1_000);
    expect(stand.call(0).signal.aborted).toBe(true);
    stand.call(0).fail(new Error("aborted"));
    await stand.clock.advance(0);
    await closing;
    expect((await stand.inMemory.standing("views")).dueInMs).toBeLessThanOrEqual(0);
  });

  test("many who flush while the source is away wait without a leak warning", async () => {
    const warn = vi.spyOn(process, "emitWarning");
    const stand = writeBehindStand();
    stand.away(true);
    await stand.write("a", 1);
    stand.queue.start();
    const flushes = Promise.all(range(20).map(() => stand.queue.flush()));
    await stand.clock.advance(1_000);
    stand.away(false);
    await stand.clock.advance(60_000);
    await flushes;
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test("flush resolves when all that was acknowledged before has arrived, whoever wrote it, and rejects on close", async () => {
    const stand = writeBehindStand();
    const other = stand.create();
    await other.write("b", { id: "b" }, 1);
    await stand.write("a", 1);
    await stand.queue.flush();
    expect([...stand.source.values]).toEqual([
      ["b", 1],
      ["a", 1],
    ]);
    stand.away(true);
    await stand.write("a", 2);
    const flushed = expect(stand.queue.flush()).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
    await stand.clock.advance(1_000);
    await stand.queue.close({ drainMs: 1 });
    await stand.clock.advance(1_000);
    await flushed;
  });
});
