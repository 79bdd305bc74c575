import { describe, expect, test } from "vitest";
import { createReprise, type Ledger, unchecked } from "../../src/index.ts";
import { redisLedger } from "../../src/stores/redis/index.ts";
import { createRedisLedger } from "../../src/stores/redis/ledger.ts";
import {
  accepted,
  claimed,
  completed,
  done,
  effect,
  keepMs,
  later,
  leaseMs,
  pastKeepMs,
  work,
} from "../../src/testing/ledger-kit.ts";
import { held, newPrefix, redis } from "./redis-stand.ts";

describe("what is stored", () => {
  test("expires by itself when it is done, a while after its keep, and not before", async () => {
    const prefix = newPrefix();
    const ledger = redisLedger({ client: redis, prefix });
    const ended = await claimed(ledger, "done", { key: "k" });
    await ledger.start(ended.fence, effect("charge"));
    await ledger.pin(ended.fence.id, "charge", "answer");
    const parked = await claimed(ledger, "parked");
    await ledger.start(parked.fence, effect("charge"));
    await ledger.park(parked.fence, { effect: "charge", why: "lost", unlessAnswered: true });
    expect(await expiries(prefix, ended.fence.name)).toEqual([-1, -1]);
    await ledger.complete(ended.fence, { outcome: "o", refused: false, keepMs, visited: ["charge"] });
    for (const expiry of await expiries(prefix, ended.fence.name)) {
      expect(expiry).toBeGreaterThan(keepMs);
      expect(expiry).toBeLessThan(keepMs + 900_000);
    }
    expect(await expiries(prefix, parked.fence.name)).toEqual([-1, -1, -1]);
  });

  test("of a key lives longer than its work, and a renewal makes it live on", async () => {
    const prefix = newPrefix();
    const ledger = redisLedger({ client: redis, prefix });
    const request = work("a", { key: "k" });
    const { fence } = await claimed(ledger, "a", { key: "k" });
    const key = `${prefix}:key:${request.key}`;
    await redis.pexpire(key, 1_000);
    expect(await ledger.renew(fence, leaseMs, null)).toBe("renewed");
    expect(await redis.pttl(key)).toBeGreaterThan(keepMs);
    await redis.pexpire(key, 1_000);
    await ledger.complete(fence, { outcome: "o", refused: false, keepMs, visited: [] });
    await ledger.claim(work("a", { key: "further" }));
    expect(await redis.pttl(key), "a further key lengthens the work, and so its other keys").toBeGreaterThan(keepMs);
  });

  test("is gone after the sweep, indexes and keys included", async () => {
    const prefix = newPrefix();
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix }, () => passed);
    for (let i = 0; i < 40; i++) await done(ledger, `a${i}`, { key: `k${i}` });
    await accepted(ledger, "later", { key: "later" });
    await completed(ledger, (await claimed(ledger, "later")).fence);
    await ledger.accept(later("later"));
    passed = pastKeepMs;
    expect(await ledger.sweep(500)).toBe(41);
    expect((await redis.keys(`*${prefix}*`)).toSorted()).toEqual([`${prefix}:keeps`, `${prefix}:schema`]);
  });

  test("of work that was given back is nothing, also where the sweep has looked at older work before", async () => {
    const prefix = newPrefix();
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix }, () => passed);
    const parked = await claimed(ledger, "a");
    await ledger.start(parked.fence, effect("charge"));
    await ledger.park(parked.fence, { effect: "charge", why: "lost", unlessAnswered: true });
    passed = pastKeepMs;
    expect(await ledger.sweep(10)).toBe(0);
    for (let attempt = 0; attempt < 3; attempt++) {
      const { fence } = await claimed(ledger, "b");
      expect(await ledger.release(fence, { keep: false, notBeforeMs: 0, error: "E" })).toBe("released");
    }
    const identities = (await ledger.recent({ limit: 10 })).map((run) => run.identity);
    expect(identities, "what the sweep left is still told").toEqual(["a"]);
    expect(await redis.keys(`{${prefix}:*}:begun:*`)).toEqual([]);
  });

  test("of work that is given back goes with it while it is young, and else with the sweep", async () => {
    const prefix = newPrefix();
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix }, () => passed);
    const lists = () => redis.keys(`{${prefix}:*}:begun:*`);
    const release = { keep: false, notBeforeMs: 0, error: null } as const;
    expect(await ledger.release((await claimed(ledger, "a")).fence, release)).toBe("released");
    expect(await lists()).toEqual([]);
    const { fence } = await claimed(ledger, "b");
    passed = 61_000;
    expect(await ledger.release(fence, release)).toBe("released");
    expect(await lists()).toHaveLength(1);
    expect(await ledger.recent({ limit: 10 })).toEqual([]);
    passed = pastKeepMs;
    expect(await ledger.sweep(10), "its entry is all that there is").toBe(1);
    expect(await redis.keys(`{${prefix}:*}:*`)).toEqual([]);
  });

  test("of work that the sweep took from its list, and did not look at yet, is told all the same", async () => {
    const prefix = newPrefix();
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix }, () => passed);
    for (const [place, identity] of ["a", "b", "c"].entries()) {
      const { fence } = await claimed(ledger, identity, { keepMs: keepMs + place });
      await ledger.park(fence, { effect: "charge", why: "lost", unlessAnswered: false });
    }
    passed = pastKeepMs;
    await ledger.sweep(1);
    const identities = (await ledger.recent({ limit: 10 })).map((run) => run.identity);
    expect(identities.toSorted()).toEqual(["a", "b", "c"]);
  });

  test("of running work is an entry in one list, until somebody would have to come for it", async () => {
    const prefix = newPrefix();
    const ledger = redisLedger({ client: redis, prefix });
    // of works that lie in one part the list is one
    const due = async () => {
      const counts = await Promise.all((await redis.keys(`{${prefix}:*}:due`)).map((list) => redis.zcard(list)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const claims = [await claimed(ledger, "a"), await claimed(ledger, "b")] as const;
    expect(await due()).toBe(0);
    expect(await ledger.recent({ limit: 10, state: "running" })).toHaveLength(2);
    await ledger.start(claims[0].fence, effect("charge"));
    expect(await due()).toBe(1);
    await ledger.renew(claims[1].fence, leaseMs, null);
    expect(await due()).toBe(2);
    expect(await ledger.recent({ limit: 10, state: "running" })).toHaveLength(2);
    await ledger.pin(claims[0].fence.id, "charge", "answer");
    const completion = { outcome: "o", refused: false, keepMs } as const;
    expect(await ledger.complete(claims[0].fence, { ...completion, visited: [] })).toBe("effects-differ");
    expect(await ledger.complete(claims[0].fence, { ...completion, visited: ["charge"] })).toBe("done");
    expect(await ledger.complete(claims[1].fence, { ...completion, visited: [] })).toBe("done");
    expect(await due()).toBe(0);
  });

  test("of accepted work's id lives on with renewals, and while the work waits for a person", async () => {
    const prefix = newPrefix();
    const ledger = redisLedger({ client: redis, prefix });
    const id = await accepted(ledger, "a");
    const key = `${prefix}:id:${id}`;
    expect(await redis.pttl(key)).toBeGreaterThan(keepMs);
    await redis.del(key);
    const { fence } = await claimed(ledger, "a", { input: "input", resuming: true });
    await ledger.start(fence, effect("charge"));
    expect(await ledger.pin(id, "charge", "answer"), "whoever claims writes it anew").toEqual({ is: "pinned" });
    await redis.pexpire(key, 1_000);
    await ledger.renew(fence, leaseMs, null);
    expect(await redis.pttl(key)).toBeGreaterThan(keepMs);
    await ledger.park(fence, { effect: "(run)", why: "lost", unlessAnswered: false });
    expect(await redis.pttl(key)).toBe(-1);
    expect((await ledger.accept({ ...later("a"), id })).is, "repeated late").toBe("unknown");
    expect(await redis.pttl(key)).toBe(-1);
    const settlement = { does: "settle", outcome: "o", refused: false, keepMs } as const;
    expect(await ledger.intervene(id, settlement, { who: "ann", why: "seen" })).toBe(true);
    expect((await ledger.accept({ ...later("a"), id })).is, "repeated later still").toBe("done");
    expect(await redis.pttl(key)).toBeGreaterThan(keepMs);
    expect((await ledger.accept(later("a"))).is).toBe("done");
    expect(await redis.keys(`${prefix}:id:*`)).toEqual([key]);
  });

  test("of a child stays past its keep until its parent is done, and does not keep the sweep from what is over", async () => {
    const prefix = newPrefix();
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix }, () => passed);
    const { fence } = await claimed(ledger, "parent");
    const children = 20;
    for (let i = 0; i < children; i++) await done(ledger, `child ${i}`, { parent: fence.name });
    const child = work("child 0", { parent: fence.name });
    expect(await expiries(prefix, child.name)).toEqual([-1]);
    passed = 10;
    for (let i = 0; i < 100; i++) await done(ledger, `other ${i}`);
    passed = pastKeepMs;
    let swept = 0;
    for (let i = 0; i < 100 + children; i++) swept += await ledger.sweep(1);
    expect(swept).toBe(100);
    expect((await ledger.find(child))?.is).toBe("done");
    await completed(ledger, fence);
    expect(await ledger.find(child)).toBeNull();
    passed += 60_001;
    expect(await ledger.sweep(500)).toBe(children);
  });

  test("of a child is not swept for a parent that was gone and has begun anew since, and relies on it", async () => {
    const prefix = newPrefix();
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix }, () => passed);
    const child = work("child", { parent: work("parent").name });
    await completed(ledger, (await claimed(ledger, "child", { parent: work("parent").name })).fence);
    passed = pastKeepMs;
    const looked = held(redis, / over$/);
    const sweeping = createRedisLedger({ client: looked.client, prefix }, () => passed).sweep(10);
    await looked.arrived;
    await claimed(ledger, "parent");
    expect((await ledger.claim(child)).is).toBe("done");
    looked.letGo();
    expect(await sweeping).toBe(0);
    expect((await ledger.find(child))?.is).toBe("done");
  });

  test("under one prefix is nothing to another", async () => {
    const one = redisLedger({ client: redis, prefix: newPrefix() });
    const other = redisLedger({ client: redis, prefix: newPrefix() });
    await done(one, "a", { key: "k" });
    expect((await other.claim(work("b", { key: "k" }))).is).toBe("won");
    expect((await other.recent({ limit: 10 })).map((run) => run.identity)).toEqual(["b"]);
  });

  test("by another version is left alone", async () => {
    const prefix = newPrefix();
    await redis.set(`${prefix}:schema`, "9");
    await expect(redisLedger({ client: redis, prefix }).open()).rejects.toMatchObject({
      code: "REPRISE_LEDGER_SCHEMA",
      details: { found: "9", expected: "1" },
    });
  });

  test.each(["", "a b", "{a}"])("under the prefix '%s' would not be found again: it is refused at once", (prefix) => {
    expect(() => redisLedger({ client: redis, prefix })).toThrow(/redisLedger\.prefix/);
  });

  test("is told newest first, whatever part it lies in, also where most is another operation's", async () => {
    let passed = 0;
    const ledger = createRedisLedger({ client: redis, prefix: newPrefix() }, () => passed);
    for (let i = 0; i < 200; i++) {
      await claimed(ledger, `${i}`, { operation: i % 40 === 0 ? "rare" : "book" });
      passed += 10;
    }
    const identities = async (query: Parameters<typeof ledger.recent>[0]) =>
      (await ledger.recent(query)).map((run) => run.identity);
    expect(await identities({ limit: 5 })).toEqual(["199", "198", "197", "196", "195"]);
    expect(await identities({ limit: 3, operation: "rare" })).toEqual(["160", "120", "80"]);
    expect(await identities({ limit: 9, operation: "rare", state: "running" })).toEqual([
      "160",
      "120",
      "80",
      "40",
      "0",
    ]);
  });
});

describe("a person's decision", () => {
  const note = { who: "ann", why: "the gateway's own records say so" };
  const settlement = { does: "settle", outcome: "by a person", refused: false, keepMs } as const;

  /** Parked work with a started effect of each name. */
  const parked = async (ledger: Ledger<unknown>, identity: string, effects: readonly string[] = ["charge"]) => {
    const { fence } = await claimed(ledger, identity, { key: identity });
    for (const name of effects) await ledger.start(fence, effect(name));
    await ledger.park(fence, { effect: effects[0] ?? "", why: "lost", unlessAnswered: true });
    return fence;
  };

  test("leaves each index with what belongs there", async () => {
    const prefix = newPrefix();
    const ledger = redisLedger({ client: redis, prefix });
    const listedIn = async (index: string) => {
      const keys = await redis.keys(`{${prefix}:*}:${index}`);
      const members = await Promise.all(keys.map((key) => redis.zrange(key, 0, -1)));
      return members.flat().map((member) => member.split(" ", 1)[0]);
    };
    const begun = async () => {
      const [key = ""] = await redis.keys(`{${prefix}:*}:begun:${keepMs}`);
      return (await redis.lrange(key, 0, -1)).map((member) => member.split(" ", 1)[0]);
    };
    const { name, id } = await parked(ledger, "a", ["charge", "mail"]);
    await ledger.intervene(id, { does: "answer", effect: "charge", answer: "1" }, note);
    expect([await listedIn("parked"), await listedIn("due")], "one answer is still lost").toEqual([[name], []]);
    await ledger.intervene(id, { does: "forget", effect: "mail" }, note);
    expect([await listedIn("parked"), await listedIn("due")]).toEqual([[], [name]]);

    const again = await claimed(ledger, "a");
    await ledger.intervene(id, { does: "release", token: again.token }, note);
    expect(await listedIn("due")).toEqual([name]);
    expect(await ledger.recent({ limit: 9, state: "open" })).toHaveLength(1);

    const last = await claimed(ledger, "a");
    await ledger.park(last.fence, { effect: "charge", why: "lost", unlessAnswered: false });
    await ledger.intervene(id, settlement, note);
    expect([await listedIn("parked"), await listedIn("due"), await begun()]).toEqual([[], [], [name]]);
  });

  test("that settles makes everything of the work expire after its keep, and its keys live as long", async () => {
    const prefix = newPrefix();
    const ledger = redisLedger({ client: redis, prefix });
    const fence = await parked(ledger, "a");
    const key = `${prefix}:key:${work("a", { key: "a" }).key}`;
    await redis.pexpire(key, 1_000);
    await ledger.intervene(fence.id, settlement, note);
    expect(await redis.pttl(key)).toBeGreaterThan(keepMs);
    const all = await expiries(prefix, fence.name);
    expect(all).toHaveLength(3);
    for (const expiry of all) {
      expect(expiry).toBeGreaterThan(keepMs);
      expect(expiry).toBeLessThan(keepMs + 900_000);
    }
  });

  test("stays with the work however many attempts follow", async () => {
    const ledger = redisLedger({ client: redis, prefix: newPrefix() });
    const { id } = await parked(ledger, "a");
    await ledger.intervene(id, { does: "reopen" }, note);
    for (let i = 0; i < 120; i++) {
      const { fence } = await claimed(ledger, "a");
      await ledger.release(fence, { keep: true, notBeforeMs: 0, error: `E${i}` });
    }
    const attempts = (await ledger.history(id))?.attempts ?? [];
    expect(attempts).toHaveLength(100);
    expect(attempts[0]).toMatchObject({ what: "reopened", owner: note.who, why: note.why });
    expect(attempts.slice(1).map(({ why }) => why)).toEqual(Array.from({ length: 99 }, (_, i) => `E${i + 21}`));
  });

  test("that an effect never happened leaves the others in the order in which they started", async () => {
    const ledger = redisLedger({ client: redis, prefix: newPrefix() });
    const { id } = await parked(ledger, "a", ["z", "y", "x", "w"]);
    for (const never of ["z", "y"]) await ledger.intervene(id, { does: "forget", effect: never }, note);
    await ledger.intervene(id, { does: "reopen" }, note);
    const { fence } = await claimed(ledger, "a");
    for (const name of ["y", "a"]) await ledger.start(fence, effect(name));
    expect((await ledger.history(id))?.effects.map((one) => one.effect)).toEqual(["x", "w", "y", "a"]);
  });
});

describe("operations on it", () => {
  const charging = (ifUnknown: "retry" | "park", costIfTwice: "money" | "trust") => {
    const reprise = createReprise({
      service: newPrefix(),
      undecided: "listed",
      ledger: redisLedger({ client: redis, prefix: newPrefix() }),
    });
    const charges: string[] = [];
    const charge = reprise.operation({
      name: "charge",
      costIfTwice,
      input: unchecked<{ readonly id: string }>(),
      principal: "everyone",
      identity: (input) => [input.id],
      retention: "1d",
      effects: "external",
      run: ({ effect: call }) =>
        call("gateway", {
          ifUnknown,
          run: async (key) => {
            charges.push(key);
            return { id: charges.length };
          },
        }),
    });
    return { reprise, charge, charges };
  };

  test("run once and are replayed, and their duplicates are told", async () => {
    const { reprise, charge, charges } = charging("retry", "money");
    const told = await Promise.all(Array.from({ length: 20 }, () => charge.execute({ id: "a" })));
    expect(told.filter((outcome) => outcome.status === "done" && !outcome.replayed)).toHaveLength(1);
    expect(await charge.execute({ id: "a" })).toMatchObject({ status: "done", replayed: true, value: { id: 1 } });
    expect(charges).toHaveLength(1);
    await reprise.close();
  });

  test("that cost money may have no effect that does not honour its key: it is not called, and nothing is claimed", async () => {
    const { reprise, charge, charges } = charging("park", "money");
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(charge.execute({ id: "a" })).rejects.toMatchObject({
        code: "REPRISE_BAD_DECLARATION",
        message:
          "effect 'gateway' of 'charge': it costs money if it happens twice, and ledger 'redis' may lose what it acknowledged, so it may be called again as if it never was. Hand the key that 'run' is given to a side that honours it, and say ifUnknown: 'retry'; or use a ledger that loses nothing.",
      });
    }
    expect(await charge.find({ id: "a" })).toBeUndefined();
    expect(charges).toEqual([]);
    await reprise.close();
  });

  test("that cost less may", async () => {
    const { reprise, charge } = charging("park", "trust");
    expect(await charge.execute({ id: "a" })).toMatchObject({ status: "done", replayed: false });
    await reprise.close();
  });

  test("cannot ask for transactions", async () => {
    const ledger = redisLedger({ client: redis, prefix: newPrefix() });
    const nothing = async () => ({ value: null, answer: "", outcome: "", refused: false });
    const refused = { code: "REPRISE_BAD_DECLARATION", message: expect.stringContaining("has no transactions") };
    await expect(ledger.transaction(nothing)).rejects.toMatchObject(refused);
    await expect(ledger.atomic(work("a"), nothing)).rejects.toMatchObject(refused);
  });
});

/** Of the work, its effects and its attempts, those that are there; -1: it never expires. */
async function expiries(prefix: string, name: string): Promise<readonly number[]> {
  const keys = (await redis.keys(`{${prefix}:*}:*:${name}`)).toSorted();
  return Promise.all(keys.map((key) => redis.pttl(key)));
}
