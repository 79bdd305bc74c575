import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createReprise, type Ledger, Refusal, unchecked } from "../../src/index.ts";
import { createRedisLedger } from "../../src/stores/redis/ledger.ts";
import { faultyLedger } from "../../src/testing/index.ts";
import { gate } from "../support/bookings.ts";
import { doesNotApply } from "../support/environment.ts";
import { noRedisHere, type RedisServer, startRedis } from "../support/redis.ts";
import { type AnchorStage, anchorStores } from "./anchor-stages.ts";

/** Operations that a Redis keeps, and bookings in another database: real servers, and transactions that are counted. */

let redis: RedisServer;
beforeAll(async () => {
  if (noRedisHere() === undefined) redis = await startRedis();
});
afterAll(() => redis?.stop());

interface Book {
  readonly reference: string;
}

describe.each(anchorStores)("an anchor on $name", ({ missing, concurrent, open }) => {
  let stage: AnchorStage;
  let prefix: string;
  /** What Redis takes for the time is so much later. */
  let passed: number;
  const ends: (() => Promise<unknown>)[] = [];
  beforeEach(async (context) => {
    const why = missing ?? noRedisHere();
    if (why !== undefined) context.skip(why);
    stage = await open();
    prefix = `anchors-${randomBytes(6).toString("hex")}`;
    passed = 0;
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await stage?.close();
  });

  /** An instance with its connections. `during`: in the transaction, after its write. */
  const instance = async (name: string, ledger: Ledger<unknown>, during: () => Promise<unknown> = async () => {}) => {
    const client = new Redis(redis.url);
    const operations = faultyLedger(createRedisLedger({ client, prefix }, () => passed));
    const bookings = faultyLedger(ledger);
    const reprise = createReprise({ service: "anchors", undecided: "listed", ledger: operations.ledger, workers: 0 });
    ends.unshift(reprise.close, async () => client.disconnect());
    const anchor = reprise.anchor({ ledger: bookings.ledger, retention: "1d" });
    const seen = { bodies: 0 };
    const booking = (reference: string) =>
      anchor.transaction(async (tx) => {
        seen.bodies += 1;
        await stage.write(tx, `insert into @booking (identity) values ('${reference}')`);
        await during();
        return { reference, by: name };
      });
    const book = reprise.operation({
      name: "seat.book",
      input: unchecked<Book>(),
      principal: "everyone",
      identity: (input) => [input.reference],
      retention: "1d",
      costIfTwice: "money",
      effects: "external",
      run: ({ input, effect }) => effect("book", booking(input.reference)),
    });
    return { reprise, anchor, booking, book, operations, bookings, seen };
  };
  const { signal } = new AbortController();

  test("of 20 attempts at once in two instances one commits, and all are told its answer", async () => {
    const two = [await instance("one", await stage.ledger()), await instance("two", await stage.ledger())];
    const attempts = Array.from({ length: 20 }, (_, i) => two[i % 2]?.booking("BK-1").run("key", signal));
    const answers = await Promise.all(attempts);
    expect(await stage.bookings()).toEqual(["BK-1"]);
    expect(new Set(answers.map((answer) => answer?.by)).size).toBe(1);
    expect(two.reduce((sum, { seen }) => sum + seen.bodies, 0)).toBe(1);
  });

  test("20 duplicates of an open transaction hold no connection: others commit meanwhile", async (context) => {
    if (!concurrent) context.skip(`${doesNotApply}its transactions take turns`);
    const entered = gate();
    const hold = gate();
    const owner = await instance("owner", await stage.ledger(), async () => {
      entered.open();
      await hold.passed;
    });
    const first = owner.booking("BK-1").run("key", signal);
    await entered.passed;
    const others = await instance("others", await stage.ledger());
    const duplicates = Array.from({ length: 20 }, () => others.booking("BK-1").run("key", signal));
    await expect.poll(() => others.bookings.calls("atomic")).toBeGreaterThanOrEqual(20);
    expect(await others.booking("BK-2").run("another key", signal)).toMatchObject({ by: "others" });
    expect(await stage.bookings()).toEqual(["BK-2"]);
    hold.open();
    const answers = await Promise.all([first, ...duplicates]);
    expect(new Set(answers.map(({ by }) => by))).toEqual(new Set(["owner"]));
    expect((await stage.bookings()).toSorted()).toEqual(["BK-1", "BK-2"]);
  });

  test("a commit whose answer was lost is found in the same attempt, and not repeated", async () => {
    const { book, bookings, seen } = await instance("one", await stage.losingAnswer());
    const outcome = await book.execute({ reference: "BK-1" });
    expect(outcome).toMatchObject({ status: "done", replayed: false, value: { reference: "BK-1", by: "one" } });
    expect(bookings.calls("atomic")).toBe(2);
    expect(seen.bodies).toBe(1);
    expect(await stage.bookings()).toEqual(["BK-1"]);
  });

  test("two transactions that deadlock are repeated as a whole, and each commits once", async (context) => {
    if (!concurrent) context.skip(`${doesNotApply}its transactions take turns`);
    const { anchor } = await instance("one", await stage.ledger());
    const met = [gate(), gate()] as const;
    let bodies = 0;
    const cross = (mine: 0 | 1) => {
      const accounts = ["a", "b"] as const;
      return anchor.transaction(async (tx) => {
        bodies += 1;
        const add = (account: string) => stage.write(tx, `update @account set n = n + 1 where id = '${account}'`);
        await stage.write(tx, `insert into @booking (identity) values ('${mine}')`);
        await add(accounts[mine]);
        met[mine].open();
        await met[mine === 0 ? 1 : 0].passed;
        await add(accounts[mine === 0 ? 1 : 0]);
        return mine;
      });
    };
    expect(await Promise.all([cross(0).run("first", signal), cross(1).run("second", signal)])).toEqual([0, 1]);
    expect(bodies).toBe(3);
    expect((await stage.bookings()).toSorted()).toEqual(["0", "1"]);
  });

  test("a refusal rolls back, and whoever comes later with the key is told it", async () => {
    const { anchor } = await instance("one", await stage.ledger());
    const refusing = anchor.transaction(async (tx): Promise<string> => {
      await stage.write(tx, "insert into @booking (identity) values ('refused')");
      throw new Refusal("sold-out", undefined);
    });
    await expect(refusing.run("key", signal)).rejects.toMatchObject({ code: "sold-out" });
    const { booking, seen } = await instance("two", await stage.ledger());
    await expect(booking("BK-1").run("key", signal)).rejects.toMatchObject({ code: "sold-out" });
    expect(seen.bodies).toBe(0);
    expect(await stage.bookings()).toEqual([]);
  });

  test("a successor waits for the open transaction of an owner whose lease is over, and is told what it committed", async () => {
    const entered = gate();
    const hold = gate();
    const first = await instance("zombie", await stage.ledger(), async () => {
      entered.open();
      await hold.passed;
    });
    const zombie = first.book.execute({ reference: "BK-1" });
    await entered.passed;
    passed = 31_000;
    const second = await instance("successor", await stage.ledger());
    const successor = second.book.execute({ reference: "BK-1" });
    await expect.poll(() => second.bookings.calls("atomic")).toBeGreaterThanOrEqual(1);
    hold.open();
    expect(await successor).toMatchObject({ status: "done", value: { by: "zombie" } });
    expect(["done", "running"]).toContain((await zombie).status);
    expect(second.seen.bodies).toBe(0);
    expect(await stage.bookings()).toEqual(["BK-1"]);
  });

  test("an owner that wakes up before its transaction, after its successor's commit, writes nothing", async () => {
    const first = await instance("zombie", await stage.ledger());
    const paused = first.operations.block("start", { when: "after" });
    const zombie = first.book.execute({ reference: "BK-1" });
    await paused.reached;
    passed = 31_000;
    const second = await instance("successor", await stage.ledger());
    const successor = await second.book.execute({ reference: "BK-1" });
    expect(successor).toMatchObject({ status: "done", value: { by: "successor" } });
    paused.open();
    expect(await zombie).toMatchObject({ status: "done", value: { by: "successor" }, replayed: true });
    expect(first.seen.bodies).toBe(0);
    expect(await stage.bookings()).toEqual(["BK-1"]);
  });

  test("killed between the commit and the pin: the next attempt is told the stored answer", async () => {
    // its tables are there before the other process comes, as `migrate` or an earlier run leaves them
    const second = await instance("successor", await stage.ledger());
    const worker = fork(fileURLToPath(new URL("anchor-worker.mjs", import.meta.url)), [
      JSON.stringify({ ...stage.place, prefix, redis: redis.url, reference: "BK-1" }),
    ]);
    const ended = once(worker, "exit");
    const [committed] = await Promise.race([once(worker, "message"), ended]);
    expect(committed).toBe("committed");
    worker.kill("SIGKILL");
    expect((await ended)[1]).toBe("SIGKILL");
    expect(await stage.bookings()).toEqual(["BK-1"]);
    expect(await second.book.execute({ reference: "BK-1" })).toMatchObject({ status: "running" });
    passed = 31_000;
    const outcome = await second.book.execute({ reference: "BK-1" });
    expect(outcome).toMatchObject({ status: "done", replayed: false, value: { by: "killed" } });
    expect(second.seen.bodies).toBe(0);
    expect(await stage.bookings()).toEqual(["BK-1"]);
  });
});
