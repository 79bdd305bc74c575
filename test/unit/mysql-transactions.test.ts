import type { RowDataPacket } from "mysql2/promise";
import { describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { MysqlTransaction } from "../../src/stores/mysql/index.ts";
import { book, bookings, closing, database, finished, gate, later, opened, request, won } from "./mysql-stand.ts";

describe("a transaction that accepts work for later", () => {
  test("holds up nobody while it goes on: they are told that the work runs", async () => {
    const ledger = await opened();
    const other = await opened({ deadline: "5s" });
    const accepted = await ledger.transaction(async (tx) => {
      const answer = await ledger.acceptIn(tx, later("a", "k"));
      const told = await Promise.all([
        other.accept(later("a", "k")),
        other.claim(request("a", "k")),
        other.accept(later("b", "k")),
        other.transaction((tx) => other.acceptIn(tx, later("a"))),
      ]);
      expect(told.map(({ is }) => is)).toEqual(["running", "running", "running", "running"]);
      return answer;
    });
    expect(accepted).toMatchObject({ is: "accepted", isNew: true });
    expect(await other.accept(later("a", "k"))).toEqual({ ...accepted, isNew: false });
    expect((await other.accept(later("b", "k"))).is).toBe("mismatch");
  });

  test("binds a further key to running work, and holds up neither its heartbeat nor its end", async () => {
    const ledger = await opened();
    const other = await opened({ deadline: "5s" });
    const claim = await other.claim({ ...request("a"), input: "input" });
    if (claim.is !== "won") throw new Error(claim.is);
    const { fence } = claim;
    await ledger.transaction(async (tx) => {
      expect((await ledger.acceptIn(tx, later("a", "k"))).is).toBe("accepted");
      expect(await other.renew(fence, 10_000, null)).toBe("renewed");
      expect((await other.accept(later("a", "k"))).is).toBe("running");
      expect(await other.complete(fence, { outcome: "1", refused: false, keepMs: 60_000, visited: [] })).toBe("done");
    });
    expect((await other.accept(later("a", "k"))).is).toBe("done");
    expect((await other.accept(later("b", "k"))).is).toBe("mismatch");
  });

  test("is to be repeated where the work was accepted after its snapshot", async () => {
    const ledger = await opened();
    const other = await opened();
    await ledger
      .transaction(async (tx) => {
        await tx.query("select * from seat");
        expect((await other.accept(later("a"))).is).toBe("accepted");
        await expect(ledger.acceptIn(tx, later("a"))).rejects.toMatchObject({ code: "REPRISE_RETRY_TRANSACTION" });
        throw new Error("rolled back");
      })
      .catch((error: unknown) => expect(String(error)).toContain("rolled back"));
    const again = await ledger.transaction((tx) => ledger.acceptIn(tx, later("a")));
    expect(again).toMatchObject({ is: "accepted", isNew: false });
  });
});

describe("a transaction of external work", () => {
  test("lets the heartbeat renew its lease, holds up no claim of other work, and nobody takes it over", async () => {
    const ledger = await opened();
    const { fence } = await won(ledger);
    const other = await opened();
    const told = await ledger.transact(fence, "seat", async (tx) => {
      expect(await other.renew(fence, 5_000, null)).toBe("renewed");
      await database.passTime(6_000);
      expect((await other.claim(request())).is).toBe("running");
      for (let i = 0; i < 30; i++) expect((await other.claim(request(`other ${i}`))).is).toBe("won");
      return book("a")(tx);
    });
    expect(told.is).toBe("committed");
    expect(await other.claim(request())).toMatchObject({ is: "won", token: 2, effects: [{ effect: "seat" }] });
  });

  test("does not keep a person from cancelling the work, and its owner is told", async () => {
    const ledger = await opened();
    const claim = await ledger.claim({ ...request(), input: "input" });
    if (claim.is !== "won") throw new Error(claim.is);
    const { fence } = claim;
    const other = await opened();
    const told = await ledger.transact(fence, "seat", async (tx) => {
      expect(await other.intervene(fence.id, { does: "cancel" }, { who: "ann", why: "by mistake" })).toBe(true);
      expect(await other.renew(fence, 10_000, null)).toBe("cancelled");
      return book("a")(tx);
    });
    expect(told.is).toBe("committed");
  });

  test("is waited for by a late pin of another effect no longer than the pin's own row", async () => {
    const ledger = await opened();
    const { fence } = await won(ledger);
    await ledger.start(fence, { effect: "charge", settleMs: 1_000 });
    await ledger.transact(fence, "seat", async (tx) => {
      expect(await ledger.pin(fence.id, "charge", "late")).toEqual({ is: "pinned" });
      return book("a")(tx);
    });
    expect(await bookings()).toEqual(["a"]);
  });
});

describe("what a person decides", () => {
  const note = { who: "ann", why: "the gateway's own records say so" };

  test("does not end work under its owner's open transaction: busy, nothing is changed, and it commits", async () => {
    const ledger = await opened();
    const { fence, token } = await won(ledger);
    const release = () => ledger.intervene(fence.id, { does: "release", token }, note);
    const told = await ledger.transact(fence, "seat", async (tx) => {
      await expect(release()).rejects.toMatchObject({ code: "REPRISE_LEDGER_BUSY" });
      return book("a")(tx);
    });
    expect(told.is).toBe("committed");
    expect((await ledger.history(fence.id))?.attempts).toEqual([]);
    expect(await release()).toBe(true);
    expect(await ledger.renew(fence, 5_000, null)).toBe("fenced");
  });

  test("is decided anew where a late pin deadlocks with it: the answer stays, and is not forgotten", async () => {
    const ledger = await opened();
    const { fence } = await won(ledger);
    await ledger.start(fence, { effect: "charge", settleMs: 0 });
    await ledger.park(fence, { effect: "charge", why: "lost", unlessAnswered: true });
    const pin = await database.pool({ connectionLimit: 1 }).getConnection();
    closing.push(async () => pin.destroy());
    await pin.beginTransaction();
    // of two that deadlock the server rolls back the one that has changed less
    for (let i = 0; i < 50; i++) await pin.query("insert into booking values ('weight')");
    await pin.query("update reprise_effect set state = 'p', answer = '1', pinned_at = started_at");
    const forgotten = ledger.intervene(fence.id, { does: "forget", effect: "charge" }, note);
    const waiting =
      "select trx_id from information_schema.innodb_trx where trx_state = 'LOCK WAIT' and trx_query like ?";
    // the server tells the same again to whoever asks within a tenth of a second
    const seldom = { interval: 200, timeout: 4_000 };
    await expect.poll(() => database.query(waiting, ["delete from reprise_effect%"]), seldom).toHaveLength(1);
    await pin.query("select name from reprise_work for update");
    await pin.commit();
    pin.release();
    expect(await forgotten).toBe(false);
    expect(await ledger.history(fence.id)).toMatchObject({
      effects: [{ effect: "charge", answer: "1" }],
      attempts: [{ what: "parked" }],
    });
  });
});

describe.each(["read committed", "repeatable read", "serializable"])("at %s", (level) => {
  async function atLevel(): Promise<Ledger<MysqlTransaction>> {
    const pool = database.pool({ connectionLimit: 4 });
    const mark = level.toUpperCase().replace(" ", "-");
    pool.pool.on("connection", (connection) => connection.query(`set session tx_isolation = '${mark}'`));
    return opened({ pool });
  }

  test("joined work finds an outcome that was committed after its transaction's snapshot", async () => {
    const ledger = await atLevel();
    const other = await opened();
    await ledger.transaction(async (tx) => {
      const [at] = await tx.query("select @@tx_isolation as level");
      expect(String(at?.["level"]).toLowerCase()).toBe(level.replace(" ", "-"));
      await tx.query("select * from seat");
      await other.atomic(request("a", "k"), book("a"));
      const told = await ledger.join(tx, request("a", "k"), book("again"));
      expect(told).toMatchObject({ is: "done", outcome: "{}" });
      expect((await ledger.join(tx, request("b", "k"), book("b"))).is).toBe("mismatch");
    });
    expect(await bookings()).toEqual(["a"]);
  });

  test("joined work whose name another open transaction holds is told that it runs, and the caller goes on", async () => {
    const ledger = await atLevel();
    await ledger.transaction(async (tx) => {
      await ledger.join(tx, request(), book("a"));
      const told = await ledger.transaction(async (own) => {
        const running = await ledger.join(own, request(), book("again"));
        await own.query("insert into booking values ('caller')");
        return running;
      });
      expect(told.is).toBe("running");
    });
    expect(await bookings()).toEqual(["a", "caller"]);
  });

  test("work that nobody knows runs at once beside finished work of an open transaction", async () => {
    const ledger = await atLevel();
    await ledger.transaction(async (tx) => {
      await ledger.join(tx, request("a"), book("a"));
      for (const identity of ["b", "c", "d", "e"]) {
        const fresh = await ledger.atomic(request(identity), book(identity));
        expect(fresh.is).toBe("ran");
      }
    });
    expect((await bookings()).toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("a deadlock repeats the whole transaction; what joined it is there once", async () => {
    const ledger = await atLevel();
    const [first, second] = [gate(), gate()];
    let runs = 0;
    const cross = (mine: number, theirs: number, own: () => void, other: Promise<void>) =>
      ledger.transaction(async (tx) => {
        runs += 1;
        await tx.query("update seat set taken = taken + 1 where number = ?", [mine]);
        own();
        await other;
        const told = await ledger.join(tx, request(`from ${mine}`), async (joined) => {
          await joined.query("update seat set taken = taken + 1 where number = ?", [theirs]);
          return book(`from ${mine}`)(joined);
        });
        expect(told.is).toBe("ran");
      });
    await Promise.all([cross(1, 2, first.open, second.opened), cross(2, 1, second.open, first.opened)]);
    expect(runs).toBeGreaterThan(2);
    expect(await bookings()).toEqual(["from 1", "from 2"]);
    expect(await database.query("select sum(taken) as taken from seat")).toEqual([{ taken: "4" }]);
  });
});

test("work that swallows a deadlock keeps nothing of what it does after it, and is repeated", async () => {
  const ledger = await opened();
  const [first, second] = [gate(), gate()];
  const attempt = (mine: number, theirs: number, own: () => void, other: Promise<void>) =>
    ledger.atomic(request(`a${mine}`), async (tx) => {
      await tx.query("update seat set taken = taken + 1 where number = ?", [mine]);
      own();
      await other;
      await tx.query("update seat set taken = taken + 1 where number = ?", [theirs]).catch(() => undefined);
      await book(`from ${mine}`)(tx).catch(() => undefined);
      return finished;
    });
  const told = await Promise.all([attempt(1, 2, first.open, second.opened), attempt(2, 1, second.open, first.opened)]);
  expect(told.map(({ is }) => is)).toEqual(["ran", "ran"]);
  expect(await bookings()).toEqual(["from 1", "from 2"]);
});

test("work whose claim is gone at its end commits nothing, and is repeated", async () => {
  const ledger = await opened();
  let runs = 0;
  const told = await ledger.atomic(request("a"), async (tx) => {
    runs += 1;
    if (runs === 1) await tx.query("delete from reprise_work");
    return book(`run ${runs}`)(tx);
  });
  expect(told.is).toBe("ran");
  expect(await bookings()).toEqual(["run 2"]);
  expect((await ledger.atomic(request("a"), book("again"))).is).toBe("done");
});

test("database work begins with its claim and commits with its outcome: three trips, one for the work's own statement", async () => {
  const pool = database.pool({ connectionLimit: 1 });
  const ledger = await opened({ pool });
  const questions = async () => {
    const [rows] = await pool.query<RowDataPacket[]>("show session status like 'Questions'");
    return Number(rows[0]?.["Value"]);
  };
  const before = await questions();
  await ledger.atomic(request("a"), book("a"));
  const after = await questions();
  // the second question counts itself
  expect(after - before).toBe(3 + 1);
});

describe("the transaction object", () => {
  test("refuses a statement that is no text, as a driver's own form is, without calling the ledger away", async () => {
    const ledger = await opened();
    const statement = { text: "select 1" } as unknown as string;
    const asked = ledger.transaction((tx) => tx.query(statement));
    await expect(asked).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });

  test("refuses what would end the transaction, and several statements at once", async () => {
    const ledger = await opened();
    const refused = [
      "commit",
      " ROLLBACK",
      "begin",
      "start transaction",
      "/* now */ commit",
      "-- now\ncommit",
      "# now\n; commit",
      "/*! commit */",
      "create table other (a int)",
      "truncate booking",
      "alter table booking add b int",
      "set autocommit = 1",
      "lock tables booking write",
      "select 1; commit",
      "insert into booking values ('\\'; x'); commit",
    ];
    await ledger.transaction(async (tx) => {
      for (const text of refused) {
        await expect(tx.query(text), text).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
      }
      await tx.query("insert into booking values (';commit')");
      await tx.query("savepoint mine");
      await tx.query("insert into booking values ('undone')");
      await tx.query("rollback to savepoint mine");
      await tx.query("create temporary table scratch (a int)");
      await tx.query("drop temporary table scratch");
    });
    expect(await bookings()).toEqual([";commit"]);
  });

  test("notices a procedure that committed, and completes nothing over it", async () => {
    const ledger = await opened();
    await database.query("create or replace procedure commits() begin commit; end");
    const ended = ledger.atomic(request(), async (tx) => {
      await tx.query("call commits()");
      return finished;
    });
    await expect(ended).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    // its claim was committed with whatever else it had done, and nobody knows what is missing
    expect(await ledger.atomic(request(), book("again"))).toMatchObject({ is: "unknown", effect: "(commit)" });
    expect((await ledger.find(request()))?.is).toBe("unknown");
  });

  test("ends with its work, belongs to its ledger, and writes nothing beside joined work", async () => {
    const ledger = await opened();
    let late: MysqlTransaction | undefined;
    await ledger.transaction(async (tx) => {
      late = tx;
      await ledger.join(tx, request(), async (own) => {
        await expect(tx.query("select 1")).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
        expect((await ledger.join(own, request(), book("own"))).is).toBe("running");
        return finished;
      });
    });
    await expect(late?.query("select 1")).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    const foreign: MysqlTransaction = { query: async () => [] };
    await expect(ledger.join(foreign, request(), book("a"))).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });
});
