import type { Pool } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nameOf, newAttemptId, newWorkId } from "../../src/base/names.ts";
import type { AcceptRequest, ClaimRequest, Ledger, Won } from "../../src/contract/ledger.ts";
import { type MysqlLedgerOptions, type MysqlTransaction, mysqlLedger } from "../../src/stores/mysql/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlServer, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";

const isThere = (await mysqlVersion()) !== undefined;
let database: TestDatabase;
let proxy: TcpProxy;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (!isThere) return;
  database = await createDatabase();
  await database.query("create table booking (identity varchar(100) not null) engine=InnoDB");
  await database.query("create table seat (number int primary key, taken int not null) engine=InnoDB");
});
beforeEach(async (context) => {
  if (!isThere) context.skip(`${cannotRunHere}MariaDB does not answer`);
  await (await opened()).close();
  await database.clear();
  await database.query("insert into seat values (1, 0), (2, 0)");
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => database?.drop());

type Options = Omit<MysqlLedgerOptions, "pool"> & { readonly pool?: Pool };

async function opened(options: Options = {}): Promise<Ledger<MysqlTransaction>> {
  const pool = options.pool ?? database.pool({ connectionLimit: 4 });
  const ledger = mysqlLedger({ wait: "20s", ...options, pool });
  closing.push(async () => {
    await ledger.close();
    if (options.pool === undefined) await pool.end();
  });
  await ledger.open();
  return ledger;
}

/** A ledger whose statements pass through the proxy. */
async function behindProxy(options: Options = {}): Promise<Ledger<MysqlTransaction>> {
  proxy = await tcpProxy(mysqlServer);
  const pool = database.pool({ host: "127.0.0.1", port: proxy.port, connectionLimit: 4 });
  const ledger = await opened({ ...options, pool });
  closing.push(async () => {
    proxy.thaw();
    await proxy.close();
  });
  return ledger;
}

function request(identity = "a", key: string | null = null): ClaimRequest {
  return {
    name: nameOf("work", [identity]),
    key: key === null ? null : nameOf("key", [key]),
    print: { version: 1, hash: "h" },
    keepMs: 60_000,
    leaseMs: 10_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    about: { operation: "op", identity, principal: "p", key, owner: "o" },
    parent: null,
    intent: null,
  };
}

function later(identity: string, key: string | null = null): AcceptRequest {
  return { ...request(identity, key), id: newWorkId(), input: "input" };
}

const finished = { value: null, outcome: "{}", refused: false };

function book(identity: string) {
  return async (tx: MysqlTransaction) => {
    await tx.query("insert into booking values (?)", [identity]);
    return { ...finished, answer: "1" };
  };
}

async function bookings(): Promise<readonly string[]> {
  return (await database.query("select identity from booking order by identity")).map((row) => String(row["identity"]));
}

function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function won(ledger: Ledger<unknown>, identity = "a"): Promise<Won> {
  const claim = await ledger.claim(request(identity));
  if (claim.is !== "won") throw new Error(`told ${claim.is}`);
  return claim;
}

const away = { code: "REPRISE_LEDGER_AWAY" };

describe("opening", () => {
  test("several instances at once on an empty database make one set of tables", async () => {
    const empty = await createDatabase();
    closing.push(empty.drop);
    const ledgers = Array.from({ length: 6 }, () => mysqlLedger({ pool: empty.pool({ connectionLimit: 2 }) }));
    await Promise.all(ledgers.map((ledger) => ledger.open()));
    const claims = await Promise.all(ledgers.map((ledger) => ledger.claim(request())));
    expect(claims.filter((claim) => claim.is === "won")).toHaveLength(1);
    for (const ledger of ledgers) await ledger.close();
  });

  test("tables of another schema version are refused, and left as they are", async () => {
    const other = await createDatabase();
    closing.push(other.drop);
    await other.query("create table reprise_meta (name varbinary(64) primary key, value varbinary(255) not null)");
    await other.query("insert into reprise_meta values ('schema', '99')");
    await expect(mysqlLedger({ pool: other.pool() }).open()).rejects.toMatchObject({
      code: "REPRISE_LEDGER_SCHEMA",
      details: { found: "99", expected: "1" },
    });
    const tables = await other.query("show tables");
    expect(tables).toHaveLength(1);
  });

  test("a server that is not there is away, and a database that is not there unusable", async () => {
    const nowhere = database.pool({ port: 1 });
    await expect(mysqlLedger({ pool: nowhere }).open()).rejects.toMatchObject(away);
    const missing = mysqlLedger({ pool: database.pool({ database: "reprise_test_none" }) });
    for (const use of [missing.open, () => missing.claim(request())]) {
      await expect(use()).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
    }
  });
});

describe("the pool", () => {
  test("twenty duplicates of running work on a pool of 16 are told so and delay no other query", async () => {
    const pool = database.pool({ connectionLimit: 16 });
    const ledger = await opened({ pool });
    const [entered, left] = [gate(), gate()];
    const owner = ledger.atomic(request(), async (tx) => {
      entered.open();
      await left.opened;
      return book("a")(tx);
    });
    await entered.opened;
    const duplicates = Array.from({ length: 20 }, () => ledger.atomic(request(), book("a")));
    // the owner is still at work: what waited for it would wait for ever
    await pool.query("select 1");
    expect((await Promise.all(duplicates)).map(({ is }) => is)).toEqual(Array.from({ length: 20 }, () => "running"));
    left.open();
    expect((await owner).is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("a pool without a free connection is busy, and the connection that comes too late returns to it", async () => {
    const pool = database.pool({ connectionLimit: 1 });
    const ledger = await opened({ pool, wait: "50ms" });
    const held = await pool.getConnection();
    await expect(ledger.claim(request())).rejects.toMatchObject({ code: "REPRISE_LEDGER_BUSY" });
    held.release();
    expect((await ledger.claim(request())).is).toBe("won");
  });

  test("options of the pool that change what rows look like do not change the ledger", async () => {
    const odd = { rowsAsArray: true, supportBigNumbers: true, bigNumberStrings: true, flags: ["-FOUND_ROWS"] };
    const ledger = await opened({ pool: database.pool({ ...odd, connectionLimit: 4 }) });
    const { fence } = await won(ledger);
    expect(await ledger.renew(fence, 10_000, { done: 1.5, total: null })).toBe("renewed");
    expect((await ledger.recent({ limit: 1 }))[0]?.progress).toEqual({ done: 1.5, total: null });
    await ledger.start(fence, { effect: "charge", settleMs: 60_000 });
    expect(await ledger.restart(fence, { effect: "charge", settleMs: 1 })).toBe(true);
    expect((await ledger.recent({ limit: 1 }))[0]?.id).toBe(fence.id);
  });
});

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

describe("a cut connection", () => {
  test("killed while database work is open: nothing of it is kept, and the next attempt runs", async () => {
    const ledger = await opened();
    const cut = ledger.atomic(request(), async (tx) => {
      await tx.query("insert into booking values ('lost')");
      const [row] = await tx.query("select connection_id() as id");
      await database.query(`kill ${Number(row?.["id"])}`);
      await tx.query("select 1");
      return finished;
    });
    await expect(cut).rejects.toMatchObject(away);
    expect((await ledger.atomic(request(), book("a"))).is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("killed right before the commit: in doubt, and the next attempt runs", async () => {
    const ledger = await opened();
    const cut = ledger.atomic(request(), async (tx) => {
      await tx.query("insert into booking values ('lost')");
      const [row] = await tx.query("select connection_id() as id");
      await database.query(`kill ${Number(row?.["id"])}`);
      return finished;
    });
    await expect(cut).rejects.toMatchObject(away);
    expect((await ledger.atomic(request(), book("a"))).is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("the commit's answer is lost: away, and the next attempt is told the outcome", async () => {
    const ledger = await behindProxy();
    proxy.fateOf = (sent) => (sent.includes("commit") ? "lose the answer" : "pass");
    await expect(ledger.atomic(request(), book("a"))).rejects.toMatchObject(away);
    proxy.fateOf = () => "pass";
    expect(await ledger.atomic(request(), book("again"))).toMatchObject({ is: "done", outcome: "{}" });
    expect(await bookings()).toEqual(["a"]);
  });

  test("the commit is lost and the server does not notice: running, until it does; then the next attempt runs", async () => {
    const ledger = await behindProxy();
    proxy.fateOf = (sent) => (sent.includes("commit") ? "lose the request" : "pass");
    await expect(ledger.atomic(request(), book("lost"))).rejects.toMatchObject(away);
    proxy.fateOf = () => "pass";
    // a plain read would have said that nothing is there
    expect(await ledger.find(request())).toBeNull();
    expect((await ledger.atomic(request(), book("a"))).is).toBe("running");
    proxy.cutServers();
    await expect.poll(async () => (await ledger.atomic(request(), book("a")).catch(() => null))?.is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("a claim's answer is lost: repeated with the same attempt it has won", async () => {
    const ledger = await behindProxy();
    const wanted = request();
    proxy.fateOf = (sent) => (sent.includes("insert into reprise_work") ? "lose the answer" : "pass");
    await expect(ledger.claim(wanted)).rejects.toMatchObject(away);
    proxy.fateOf = () => "pass";
    expect(await ledger.claim(wanted)).toMatchObject({ is: "won", token: 1 });
    expect((await ledger.claim(request())).is).toBe("running");
  });

  test("a frozen server is away at the deadline, its connections do not return to the pool, and it is used again after", async () => {
    const ledger = await behindProxy({ deadline: "300ms", wait: "300ms" });
    const { fence } = await won(ledger);
    proxy.freeze();
    await expect(ledger.renew(fence, 10_000, null)).rejects.toMatchObject(away);
    const hanging = ledger.atomic(request("b"), book("b"));
    await expect(hanging).rejects.toMatchObject({ code: expect.stringMatching(/^REPRISE_LEDGER_(AWAY|BUSY)$/) });
    proxy.thaw();
    await expect.poll(() => ledger.renew(fence, 10_000, null).catch(() => "away")).toBe("renewed");
    await expect.poll(async () => (await ledger.atomic(request("b"), book("b")).catch(() => null))?.is).toBe("ran");
    expect(await bookings()).toEqual(["b"]);
  });

  test("a server that freezes inside a transaction: its work is told, and nothing of it is kept", async () => {
    const ledger = await behindProxy({ deadline: "300ms" });
    const hanging = ledger.transaction(async (tx) => {
      await tx.query("insert into booking values ('lost')");
      proxy.freeze();
      await tx.query("select 1");
    });
    await expect(hanging).rejects.toMatchObject(away);
    await expect.poll(bookings).toEqual([]);
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

describe("the transaction object", () => {
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

test("a page's questions read some rows of a ledger of 3,000, whatever they ask", async () => {
  const pool = database.pool({ connectionLimit: 1 });
  const ledger = await opened({ pool });
  await database.query(
    `insert into reprise_work (name, id, attempt, state, keep_until, created_at, operation, identity, principal, owner, print,
       print_version, outcome)
     select unhex(md5(seq)), unhex(md5(seq + 1e6)), unhex(md5(seq)), if(seq % 1000 = 0, 'u', 'd'), 9e15, seq, 'op', 'i', 'p',
       'o', 'h', 1, '{}' from seq_1_to_3000`,
  );
  const queries = [{}, { operation: "op" }, { state: "done" }, { state: "unknown" }, { state: "open" }] as const;
  const both = [
    { operation: "op", state: "done" },
    { operation: "op", state: "unknown" },
    { operation: "none" },
  ] as const;
  for (const query of [...queries, ...both]) {
    await pool.query("flush status");
    const runs = await ledger.recent({ ...query, limit: 10 });
    if (runs[0] !== undefined) await ledger.history(runs[0].id);
    const [rows] = await pool.query("show session status like 'Handler_read%'");
    const read = (rows as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
    expect(read, JSON.stringify(query)).toBeLessThan(150);
  }
});

test("of 20,000 works that wait no more are read than are told, and second successes are looked up by their intent", async () => {
  const pool = database.pool({ connectionLimit: 1 });
  const ledger = await opened({ pool });
  const columns =
    "name, id, attempt, state, keep_until, created_at, operation, identity, principal, owner, print, print_version";
  const about = "9e15, seq, 'op', 'i', 'p', 'o', 'h', 1";
  await database.query(
    `insert into reprise_work (${columns}, lease_until, input)
     select unhex(md5(seq)), unhex(md5(seq + 1e6)), unhex(md5(seq)), 'o', ${about}, seq, 'input' from seq_1_to_20000`,
  );
  await database.query(
    `insert into reprise_work (${columns}, refused, outcome, intent)
     select unhex(md5(seq + 2e6)), unhex(md5(seq + 3e6)), unhex(md5(seq)), 'd', ${about}, 0, '{}', unhex(md5(seq div 2))
     from seq_20001_to_40000`,
  );
  const reads = async (ask: () => Promise<readonly unknown[]>) => {
    await pool.query("flush status");
    expect(await ask()).toHaveLength(20);
    const [rows] = await pool.query("show session status like 'Handler_read%'");
    return (rows as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
  };
  expect(await reads(() => ledger.abandoned({ operations: ["op"], idleMs: 1_000, limit: 20 }))).toBeLessThan(150);
  expect(await reads(() => ledger.twice({ operation: "op", withinMs: 1_000, limit: 20 }))).toBeLessThan(3_000);
});

test("closing waits for open transactions, and ends one that never does", async () => {
  const ledger = await opened();
  const [entered, left] = [gate(), gate()];
  const open = ledger.atomic(request(), async (tx) => {
    entered.open();
    await left.opened;
    return book("a")(tx);
  });
  await entered.opened;
  const closed = ledger.close();
  await expect(ledger.claim(request("b"))).rejects.toMatchObject(away);
  left.open();
  expect((await open).is).toBe("ran");
  await closed;
});
