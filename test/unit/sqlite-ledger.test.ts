import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nameOf, newAttemptId, newWorkId, type WorkId } from "../../src/base/names.ts";
import type { ClaimRequest } from "../../src/contract/ledger.ts";
import { type Connection, loadDriver } from "../../src/stores/sqlite/driver.ts";
import { abandonedWork, parkAbandonedWork } from "../../src/stores/sqlite/endings.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { recentRuns, succeededTwice } from "../../src/stores/sqlite/looking.ts";
import { type ManualClock, manualClock } from "../../src/testing/index.ts";

let directory: string;
let path: string;
let clock: ManualClock;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "reprise-sqlite-"));
  path = join(directory, "ledger.db");
  clock = manualClock();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function opened() {
  const ledger = sqliteLedger({ path, clock, busy: "1s" });
  await ledger.open();
  closing.push(ledger.close);
  return ledger;
}

/** A connection as another process has one. */
async function stranger(): Promise<Connection> {
  const connection = (await loadDriver())(path);
  closing.push(() => {
    if (connection.inTransaction()) connection.exec("rollback");
    connection.close();
  });
  return connection;
}

function request(identity = "a"): ClaimRequest {
  return {
    name: nameOf("work", [identity]),
    key: null,
    print: { version: 1, hash: "h" },
    keepMs: 60_000,
    leaseMs: 10_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    about: { operation: "op", identity, principal: "p", key: null, owner: "o" },
    parent: null,
    intent: null,
  };
}

const finished = { value: null, outcome: "{}", refused: false };

describe("opening", () => {
  test("constructing opens nothing, the first use does, and a file that cannot be opened is named with its mend", async () => {
    const missing = join(directory, "missing", "ledger.db");
    const ledger = sqliteLedger({ path: missing, clock });
    for (const use of [() => ledger.claim(request()), ledger.open, () => ledger.transaction(async () => 1)]) {
      await expect(use()).rejects.toMatchObject({
        code: "REPRISE_LEDGER_UNUSABLE",
        message: expect.stringContaining(missing),
      });
    }
    const usable = sqliteLedger({ path, clock });
    closing.push(usable.close);
    expect(await usable.transaction((tx) => tx.query("select 1 as one"))).toEqual([{ one: 1 }]);
  });

  test("a query of several statements is refused: the drivers would drop all but the first", async () => {
    const ledger = await opened();
    await ledger.transaction((tx) => tx.query("create table seat (number integer, note text)"));
    const several = ledger.transaction((tx) =>
      tx.query("insert into seat values (1, 'a'); insert into seat values (2, 'b')"),
    );
    await expect(several).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    await ledger.transaction((tx) => tx.query("insert into seat values (3, 'one; two') -- a; b\n;"));
    await ledger.transaction((tx) =>
      tx.query(
        "create trigger noted after insert on seat begin update seat set note = 'x'; update seat set note = 'y'; end;",
      ),
    );
    expect(await ledger.transaction((tx) => tx.query("select number from seat"))).toEqual([{ number: 3 }]);
  });

  test("opening may be tried again after it failed", async () => {
    writeFileSync(path, "this is no database, but long enough to be taken for one".repeat(20));
    const ledger = sqliteLedger({ path, clock });
    closing.push(ledger.close);
    await expect(ledger.open()).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
    rmSync(path);
    await ledger.open();
    expect((await ledger.claim(request())).is).toBe("won");
  });

  test("a file of another schema version is refused", async () => {
    await (await opened()).close();
    (await stranger()).exec("update reprise_meta set value = '99' where name = 'schema'");
    await expect(sqliteLedger({ path, clock }).open()).rejects.toMatchObject({
      code: "REPRISE_LEDGER_SCHEMA",
      details: { found: "99", expected: "1" },
    });
  });

  test("a path that is no file is refused at once, and so is a busy time that is no duration", () => {
    for (const bad of [":memory:", "", "file:ledger.db"]) {
      expect(() => sqliteLedger({ path: bad })).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }));
    }
    expect(() => sqliteLedger({ path, busy: "0s" })).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DURATION" }));
  });

  test("a missing driver is named", async () => {
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    vi.doMock("libsql", () => {
      throw new Error("Cannot find package 'libsql'");
    });
    try {
      await expect(loadDriver()).rejects.toMatchObject({
        code: "REPRISE_DRIVER_MISSING",
        details: { driver: "libsql" },
      });
    } finally {
      vi.doUnmock("libsql");
    }
  });

  test("commits are on the disk when they are acknowledged", async () => {
    const ledger = await opened();
    const pragma = (name: string) => ledger.transaction((tx) => tx.query(`pragma ${name}`));
    expect(await pragma("synchronous")).toEqual([{ synchronous: 2 }]);
    expect(await pragma("journal_mode")).toEqual([{ journal_mode: "wal" }]);
  });
});

describe("waiting", () => {
  test("another process's lock is waited for by timer, without blocking, until it is let go", async () => {
    const ledger = await opened();
    const other = await stranger();
    other.exec("begin immediate");
    const claim = ledger.claim(request());
    await clock.advance(500);
    other.exec("rollback");
    await clock.advance(100);
    expect((await claim).is).toBe("won");
  });

  test("the store's clock is read when the lock is held, not when the call was made", async () => {
    const ledger = await opened();
    const other = await stranger();
    other.exec("begin immediate");
    const claim = ledger.claim(request());
    await clock.advance(500);
    other.exec("rollback");
    await clock.advance(100);
    await claim;
    const [run] = await ledger.recent({ limit: 1 });
    expect(run?.createdAt).toBeGreaterThan(Date.UTC(2026, 0, 1) + 500);
  });

  test("a lock that is never let go ends in REPRISE_LEDGER_BUSY, for everybody in the queue", async () => {
    const ledger = await opened();
    const other = await stranger();
    other.exec("begin immediate");
    const claims = ["a", "b"].map((identity) => ledger.claim(request(identity)));
    const refused = claims.map((claim) => expect(claim).rejects.toMatchObject({ code: "REPRISE_LEDGER_BUSY" }));
    await clock.advance(1_100);
    await Promise.all(refused);
    other.exec("rollback");
    expect((await ledger.claim(request("a"))).is).toBe("won");
  });

  test("an operation inside a transaction of the same file is refused at once instead of waiting for itself", async () => {
    const ledger = await opened();
    const second = await opened();
    for (const inner of [ledger, second]) {
      const nested = ledger.transaction(() => inner.atomic(request(), async () => finished));
      await expect(nested).rejects.toMatchObject({ code: "REPRISE_LEDGER_SELF_WAIT" });
    }
    expect((await ledger.atomic(request(), async () => finished)).is).toBe("ran");
  });

  test("reads do not wait for an open transaction, and do not see it", async () => {
    const ledger = await opened();
    await ledger.atomic(request(), async () => {
      expect(await ledger.find(request())).toBeNull();
      expect(await ledger.recent({ limit: 1 })).toEqual([]);
      return finished;
    });
    expect((await ledger.find(request()))?.is).toBe("done");
  });

  test("a stranger's write never joins an open transaction", async () => {
    const ledger = await opened();
    await ledger.transaction((tx) => tx.query("create table note (text)"));
    let enter = () => {};
    const entered = new Promise<void>((resolve) => {
      enter = resolve;
    });
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const rolledBack = ledger.transaction(async (tx) => {
      await tx.query("insert into note values ('rolled back')");
      enter();
      await left;
      throw new Error("rolled back");
    });
    await entered;
    const other = ledger.transaction((tx) => tx.query("insert into note values ('kept')"));
    leave();
    await expect(rolledBack).rejects.toThrow("rolled back");
    await other;
    expect(await ledger.transaction((tx) => tx.query("select text from note"))).toEqual([{ text: "kept" }]);
  });
});

describe("closing", () => {
  test("waits for the transactions that are open or in the queue", async () => {
    const ledger = await opened();
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const first = ledger.atomic(request("a"), async () => {
      await left;
      return finished;
    });
    const second = ledger.claim(request("b"));
    const closed = ledger.close();
    await expect(ledger.claim(request("c"))).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    leave();
    expect([(await first).is, (await second).is]).toEqual(["ran", "won"]);
    await closed;
    await expect(ledger.open()).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  });

  test("ends a transaction that never does, which leaves nothing", async () => {
    const ledger = await opened();
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const hanging = ledger.atomic(request("a"), async () => {
      await left;
      return finished;
    });
    const closed = ledger.close();
    await clock.advance(10_000);
    await closed;
    const refused = expect(hanging).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    leave();
    await refused;
    expect(await (await opened()).find(request("a"))).toBeNull();
  });
});

describe("the transaction object", () => {
  test("keeps every kind of value as it is, and hands out plain objects", async () => {
    const ledger = await opened();
    await ledger.transaction(async (tx) => {
      await tx.query("create table kept (a, b text, c, d, e, f)");
      const values = [null, 5, 2 ** 40, 2n ** 62n, new Uint8Array([1, 2, 3]), true];
      await tx.query("insert into kept values (?, ?, ?, ?, ?, ?)", values);
      const [row] = await tx.query("select * from kept");
      expect(row).toEqual({ a: null, b: "5", c: 2 ** 40, d: 2n ** 62n, e: new Uint8Array([1, 2, 3]), f: 1 });
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
      expect(await tx.query("update kept set a = 1.5 returning a")).toEqual([{ a: 1.5 }]);
      expect(await tx.query("select ? as bytes", [new Uint8Array([9])])).toEqual([{ bytes: new Uint8Array([9]) }]);
    });
  });

  test("refuses what SQLite does not keep, by position and without the value", async () => {
    const ledger = await opened();
    await ledger.transaction(async (tx) => {
      for (const bad of [new Date(0), Number.NaN, 2n ** 63n, undefined, { secret: 1 }, Symbol("secret")]) {
        const refused = tx.query("select ?, ?", [1, bad as never]);
        await expect(refused).rejects.toThrow(/parameter 2/);
        await expect(refused).rejects.not.toThrow(/secret/);
      }
    });
  });

  test("a statement that fails is undone alone, and the transaction goes on", async () => {
    const ledger = await opened();
    await ledger.transaction(async (tx) => {
      await tx.query("create table seat (number integer primary key)");
      await tx.query("insert into seat values (1)");
      await expect(tx.query("insert into seat values (2), (1)")).rejects.toThrow(/UNIQUE/);
      await tx.query("insert into seat values (3)");
    });
    expect(await ledger.transaction((tx) => tx.query("select number from seat"))).toEqual([
      { number: 1 },
      { number: 3 },
    ]);
  });

  test("refuses a statement that is no text, as a driver's own form is, without calling the ledger away", async () => {
    const ledger = await opened();
    const statement = { text: "select 1" } as unknown as string;
    const asked = ledger.transaction((tx) => tx.query(statement));
    await expect(asked).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });

  test("refuses to end the transaction, and notices when a statement did it all the same", async () => {
    const ledger = await opened();
    await ledger.transaction((tx) => tx.query("create table seat (number integer primary key)"));
    for (const text of [
      "commit",
      " ROLLBACK",
      "end transaction",
      "begin",
      "/* now */ commit",
      "-- now\ncommit",
      "; commit",
    ]) {
      const ending = ledger.transaction((tx) => tx.query(text));
      await expect(ending).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    }
    const ended = ledger.atomic(request(), async (tx) => {
      await tx.query("insert into seat values (1)");
      await tx.query("insert or rollback into seat values (1)").catch(() => undefined);
      return finished;
    });
    await expect(ended).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    expect(await ledger.find(request())).toBeNull();
    expect(await ledger.transaction((tx) => tx.query("select * from seat"))).toEqual([]);
  });

  test("ends with its work, and belongs to its ledger", async () => {
    const ledger = await opened();
    let late: SqliteTransaction | undefined;
    await ledger.transaction(async (tx) => {
      late = tx;
    });
    await expect(late?.query("select 1")).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    const foreign: SqliteTransaction = { query: async () => [] };
    const joined = ledger.join(foreign, request(), async () => finished);
    await expect(joined).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });

  test("while joined work is under way, the outer object writes nothing into its savepoint", async () => {
    const ledger = await opened();
    await ledger.transaction(async (tx) => {
      const outcome = await ledger.join(tx, request(), async (own) => {
        await expect(tx.query("select 1")).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
        const inner = await ledger.join(own, request("b"), async () => finished);
        expect(inner.is).toBe("ran");
        return finished;
      });
      expect(outcome.is).toBe("ran");
      await tx.query("select 1");
    });
    expect((await ledger.find(request("b")))?.is).toBe("done");
  });

  test("work in it finds its child there, though that is past its keep: it is not done yet itself", async () => {
    const ledger = await opened();
    const child = { ...request("child"), parent: request("parent").name, keepMs: 1_000 };
    await ledger.atomic(child, async () => finished);
    await clock.advance(2_000);
    await ledger.atomic(request("parent"), async (tx) => {
      expect((await ledger.join(tx, child, async () => finished)).is).toBe("done");
      return finished;
    });
    expect((await ledger.atomic(child, async () => finished)).is).toBe("ran");
  });

  test("database work that is asked for again inside its own transaction is told what stands under the names", async () => {
    const ledger = await opened();
    const [mine, since] = [{ ...request(), key: nameOf("key", ["k"]) }, clock.now()];
    const never = () => Promise.reject(new Error("it ran"));
    const accepting = (asked: ClaimRequest) => ({ ...asked, id: newWorkId(), input: "{}" });
    const askAgain = async (tx: SqliteTransaction) => {
      const running = { is: "running", since, retryAfterMs: expect.any(Number) };
      for (const asked of [mine, request(), { ...mine, key: nameOf("key", ["further"]) }]) {
        expect(await ledger.join(tx, asked, never)).toEqual(running);
        expect(await ledger.acceptIn(tx, accepting(asked))).toEqual(running);
      }
      const otherInput = { ...mine, print: { version: 1, hash: "other" } };
      expect(await ledger.join(tx, otherInput, never)).toEqual({ is: "mismatch", firstSeen: since });
      const otherWork = { ...request("b"), key: mine.key };
      expect(await ledger.join(tx, otherWork, never)).toEqual({ is: "mismatch", firstSeen: null });
      expect(await ledger.acceptIn(tx, accepting(otherWork))).toEqual({ is: "mismatch", firstSeen: null });
      return finished;
    };
    expect((await ledger.atomic(mine, askAgain)).is).toBe("ran");
    expect((await ledger.recent({ limit: 9 })).map(({ identity }) => identity)).toEqual(["a"]);
  });

  test("what is undone with its savepoint is no longer at its names", async () => {
    const ledger = await opened();
    await ledger.transaction(async (tx) => {
      const failing = ledger.join(tx, request(), () => Promise.reject(new Error("sold out")));
      await expect(failing).rejects.toThrow("sold out");
      expect((await ledger.join(tx, request(), async () => finished)).is).toBe("ran");
    });
    expect((await ledger.find(request()))?.is).toBe("done");
  });
});

test("database work is known by its name, and nobody else's question finds it by that", async () => {
  const ledger = await opened();
  await ledger.atomic({ ...request(), key: nameOf("key", ["k"]) }, async () => finished);
  await ledger.atomic({ ...request(), key: nameOf("key", ["further"]) }, async () => finished);
  const [run] = await ledger.recent({ limit: 1 });
  if (run === undefined) throw new Error("no run");
  expect(await ledger.history(run.id)).toEqual({ run, effects: [], attempts: [] });
  expect(await ledger.standing(run.id)).toBeNull();
  expect(await ledger.history(nameOf("key", ["further"]) as string as WorkId)).toBeNull();
});

test("database work takes over external work that nobody is at, and its effects-free attempt is noted", async () => {
  const ledger = await opened();
  const claim = await ledger.claim({ ...request(), input: "{}" });
  if (claim.is !== "won") throw new Error("not won");
  await clock.advance(10_001);
  expect((await ledger.atomic(request(), async () => finished)).is).toBe("ran");
  expect(await ledger.complete(claim.fence, { outcome: "late", refused: false, keepMs: 1, visited: [] })).toBe(
    "fenced",
  );
  expect(await ledger.claim(request())).toMatchObject({ is: "done", outcome: "{}" });
  const { run, attempts } = (await ledger.history(claim.fence.id)) ?? {};
  expect(run).toMatchObject({ state: "done", token: 2, refused: false });
  expect(attempts).toMatchObject([{ what: "taken-over", token: 1 }]);
  expect(await ledger.abandoned({ operations: ["op"], idleMs: 0, limit: 9 })).toEqual([]);
});

test("database work over external work with effects is parked, not completed over them", async () => {
  const ledger = await opened();
  const claim = await ledger.claim(request());
  if (claim.is !== "won") throw new Error("not won");
  await ledger.start(claim.fence, { effect: "charge", settleMs: 10 });
  await clock.advance(10_001);
  const told = await ledger.atomic(request(), async () => finished);
  expect(told).toMatchObject({ is: "unknown", effect: "charge" });
});

test("what looks for live work reads the index of live work alone, and what looks for one intent its few works", async () => {
  await opened();
  const connection = await stranger();
  const plans: string[] = [];
  const explained: Connection = {
    ...connection,
    all: (sql, params) => {
      plans.push(...connection.all(`explain query plan ${sql}`, params).map((step) => String(step["detail"])));
      return connection.all(sql, params);
    },
  };
  const read = (look: () => unknown) => {
    plans.length = 0;
    look();
    return plans.flatMap((step) => /reprise_work_\w+/.exec(step) ?? []);
  };
  const looks = {
    abandoned: () => abandonedWork(explained, 0, { operations: ["op"], idleMs: 0, limit: 9 }),
    parkAbandoned: () => parkAbandonedWork(explained, 0, { operation: "op", afterMs: 0 }),
    recent: () => recentRuns(explained, { operation: "op", state: "unknown", limit: 9 }),
  };
  for (const [name, look] of Object.entries(looks)) expect(read(look), name).toEqual(["reprise_work_live"]);
  const intent = nameOf("intent", ["seat"]);
  expect(read(() => succeededTwice(explained, { operation: "op", withinMs: 1, limit: 9, intent }))).toEqual([
    "reprise_work_intent",
  ]);
});

test("calls that follow each other without a pause let timers have their turn", async () => {
  const ledger = await opened();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  const until = performance.now() + 500;
  while (performance.now() < until) await ledger.find(request());
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});
