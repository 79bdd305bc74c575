import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RepriseError } from "../../src/base/errors.ts";
import { nameOf, newAttemptId, newWorkId, sha256 } from "../../src/base/names.ts";
import type { AcceptRequest, ClaimRequest, Ledger } from "../../src/contract/ledger.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { type Forwarder, startForwarder } from "../support/forwarder.ts";
import {
  type DriverName,
  type PostgresPlace,
  pgPool,
  postgresPlace,
  postgresUrl,
  postgresVersion,
} from "../support/postgres.ts";

const missing = (await postgresVersion()) === undefined;
const drivers: readonly DriverName[] = ["pg", "postgres"];

let place: PostgresPlace;
let proxy: Forwarder;
beforeAll(async () => {
  if (missing) return;
  place = await postgresPlace();
  const { hostname, port } = new URL(postgresUrl);
  proxy = await startForwarder({ host: hostname, port: Number(port || 5432) });
});
beforeEach((context) => {
  if (missing) context.skip(`${cannotRunHere}no PostgreSQL answers`);
});
afterAll(async () => {
  await proxy?.close();
  await place?.drop();
});

function request(identity: string, key: string | null = null): ClaimRequest {
  return {
    name: nameOf("work", ["failures", "book", identity]),
    key: key === null ? null : nameOf("key", ["failures", "book", key]),
    print: { version: 1, hash: sha256("payload") },
    keepMs: 3_600_000,
    leaseMs: 600_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    about: { operation: "book", identity, principal: "ann", key, owner: "test" },
    parent: null,
    intent: null,
  };
}

function later(identity: string, key: string | null = null): AcceptRequest {
  return { ...request(identity, key), id: newWorkId(), input: "input" };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const done = (outcome = "outcome") => ({ value: outcome, outcome, refused: false });
const away = { code: "REPRISE_LEDGER_AWAY" };

/** A ledger whose connections go through the proxy. */
async function behindProxy(driver: DriverName, deadline: "500ms" | "20s") {
  const url = new URL(postgresUrl);
  url.port = String(proxy.port);
  const pool = driver === "pg" ? pgPool(url.href, 1) : postgres(url.href, { max: 1, onnotice: () => undefined });
  const ledger = postgresLedger({ pool, schema: place.schema, deadline, workDeadline: deadline });
  await ledger.open();
  return {
    ledger,
    end: async () => {
      proxy.thaw();
      proxy.cut();
      await ledger.close();
      await (driver === "pg" ? pool.end() : (pool as postgres.Sql).end({ timeout: 1 }));
    },
  };
}

async function bookIn(ledger: Ledger<unknown>, identity: string) {
  return (ledger as Awaited<ReturnType<PostgresPlace["ledger"]>>).atomic(request(identity), async (tx) => {
    await place.insertBooking(tx, identity);
    return done();
  });
}

describe.each(drivers)("postgres over %s", (driver) => {
  test("20 duplicates of running work on a pool of 16 hold no connection, and nobody waits for them", async () => {
    const pool = driver === "pg" ? pgPool(postgresUrl, 16) : postgres(postgresUrl, { max: 16 });
    const ledger = postgresLedger({ pool, schema: place.schema });
    const { open, opened } = gate();
    const entered = gate();
    const job = request(`duplicates ${driver}`, `key ${driver}`);
    const owner = ledger.atomic(job, async () => {
      entered.open();
      await opened;
      return done();
    });
    await entered.opened;
    const duplicates = await Promise.all(Array.from({ length: 20 }, () => ledger.atomic(job, async () => done("no"))));
    expect(new Set(duplicates.map(({ is }) => is))).toEqual(new Set(["running"]));
    if ("totalCount" in pool) expect(pool.totalCount - pool.idleCount).toBe(1);
    // told while the owner is still at work, or this would never come
    expect(await ledger.find(request("unrelated"))).toBeNull();
    open();
    expect((await owner).is).toBe("ran");
    expect((await ledger.atomic(job, async () => done("no"))).is).toBe("done");
    await ledger.close();
    await pool.end();
  });

  test("an owner whose transaction is under way is not released: busy, nothing noted, and it completes", async () => {
    const owner = await place.ledger(driver);
    // its own deadline never comes, so that only the lock's can
    const person = await place.ledger(driver, { instance: 1, deadline: "60s" });
    const claim = await owner.claim(request(`held ${driver}`));
    if (claim.is !== "won") throw new Error(claim.is);
    const { fence, token } = claim;
    const entered = gate();
    const { open, opened } = gate();
    const transacted = owner.transact(fence, "book", async (tx) => {
      await place.insertBooking(tx, `held ${driver}`);
      entered.open();
      await opened;
      return { value: "booked", answer: "booked" };
    });
    await entered.opened;
    const note = { who: "ann", why: "it hangs" };
    const release = person.intervene(fence.id, { does: "release", token }, note);
    const refusal = await release.catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "REPRISE_LEDGER_BUSY" });
    // how long it waited, and not how long it might have
    expect((refusal as RepriseError<"REPRISE_LEDGER_BUSY">).details.afterMs).toBeLessThan(30_000);
    open();
    expect(await transacted).toMatchObject({ is: "committed" });
    expect((await person.history(fence.id))?.attempts).toEqual([]);
    const completion = { outcome: "done", refused: false, keepMs: 3_600_000, visited: ["book"] };
    expect(await owner.complete(fence, completion)).toBe("done");
  });

  test("work is cancelled beside its owner's open transaction, which commits, and the owner is told", async () => {
    const owner = await place.ledger(driver);
    const person = await place.ledger(driver, { instance: 1 });
    const claim = await owner.claim({ ...request(`cancelled ${driver}`), input: "input" });
    if (claim.is !== "won") throw new Error(claim.is);
    const { fence } = claim;
    const told = await owner.transact(fence, "book", async (tx) => {
      await place.insertBooking(tx, `cancelled ${driver}`);
      expect(await person.intervene(fence.id, { does: "cancel" }, { who: "ann", why: "by mistake" })).toBe(true);
      expect(await person.renew(fence, 600_000, null)).toBe("cancelled");
      return { value: "booked", answer: "booked" };
    });
    expect(told.is).toBe("committed");
  });

  test("beside a transaction that has accepted work and goes on, nobody waits: they are told that it runs", async () => {
    const caller = await place.ledger(driver);
    const other = await place.ledger(driver, { instance: 1, deadline: "10s" });
    const [name, key] = [`outbox ${driver}`, `outbox key ${driver}`];
    const accepted = await caller.transaction(async (tx) => {
      const answer = await caller.acceptIn(tx, later(name, key));
      const told = await Promise.all([
        other.accept(later(name, key)),
        other.claim(request(name, key)),
        other.accept(later(`${name} 2`, key)),
        other.claim(request(`${name} 2`, key)),
        other.transaction((tx) => other.acceptIn(tx, later(name))),
      ]);
      expect(told.map(({ is }) => is)).toEqual(Array.from({ length: 5 }, () => "running"));
      return answer;
    });
    expect(accepted).toMatchObject({ is: "accepted", isNew: true });
    expect(await other.accept(later(name, key))).toEqual({ ...accepted, isNew: false });
    expect((await other.accept(later(`${name} 2`, key))).is).toBe("mismatch");
  });

  test("a transaction that binds a further key to running work holds up neither its heartbeat nor its end", async () => {
    const caller = await place.ledger(driver);
    const other = await place.ledger(driver, { instance: 1, deadline: "10s" });
    const [name, key] = [`beside ${driver}`, `beside key ${driver}`];
    const claim = await other.claim({ ...request(name), input: "input" });
    if (claim.is !== "won") throw new Error(claim.is);
    const { fence } = claim;
    await caller.transaction(async (tx) => {
      expect((await caller.acceptIn(tx, later(name, key))).is).toBe("accepted");
      expect(await other.renew(fence, 600_000, { done: 1, total: 2 })).toBe("renewed");
      expect((await other.accept(later(name, key))).is).toBe("running");
      const completion = { outcome: "done", refused: false, keepMs: 3_600_000, visited: [] };
      expect(await other.complete(fence, completion)).toBe("done");
    });
    expect((await other.accept(later(name, key))).is).toBe("done");
    expect((await other.accept(later(`${name} 2`, key))).is).toBe("mismatch");
  });

  test("the last two lost answers, told by two persons and the late answer itself at once, open the work once", async () => {
    const ledgers = [await place.ledger(driver), await place.ledger(driver, { instance: 1 })] as const;
    const [one, other] = ledgers;
    const note = { who: "ann", why: "seen" };
    for (let round = 0; round < 20; round++) {
      const claim = await one.claim(request(`answers ${round} ${driver}`));
      if (claim.is !== "won") throw new Error(claim.is);
      const { fence } = claim;
      const settleMs = 60_000;
      for (const effect of ["charge", "mail", "ship"]) await one.start(fence, { effect, settleMs });
      await one.park(fence, { effect: "charge", why: "lost", unlessAnswered: true });
      const told = await Promise.all([
        one.intervene(fence.id, { does: "answer", effect: "charge", answer: "1" }, note),
        other.intervene(fence.id, { does: "forget", effect: "mail" }, note),
        other.pin(fence.id, "ship", "3"),
      ]);
      expect(told).toEqual([true, true, { is: "pinned" }]);
      const history = await one.history(fence.id);
      expect(history?.run.state).toBe("open");
      expect(history?.attempts.filter(({ what }) => what === "reopened")).toHaveLength(1);
    }
  });

  test("a session ended before COMMIT: away, nothing is kept, and the next attempt runs", async () => {
    const ledger = await place.ledger(driver);
    const identity = `ended before ${driver}`;
    const killed = ledger.atomic(request(identity), async (tx) => {
      await place.insertBooking(tx, identity);
      const [row] = await tx.query("select pg_backend_pid() as pid");
      await place.admin.query("select pg_terminate_backend($1, 5000)", [row?.["pid"]]);
      return done();
    });
    await expect(killed).rejects.toMatchObject(away);
    expect(await place.bookings()).not.toContain(identity);
    // postgres.js loses the place of a connection that breaks as a statement is handed to it
    const next = driver === "postgres" ? await place.ledger(driver, { instance: 1 }) : ledger;
    expect((await bookIn(next, identity)).is).toBe("ran");
    expect((await place.bookings()).filter((one) => one === identity)).toHaveLength(1);
  });

  test("a COMMIT whose answer is lost: away, and the same call again is told the outcome", async () => {
    const { ledger, end } = await behindProxy(driver, "20s");
    const identity = `in doubt ${driver}`;
    // prepared from now on, so that the last statement and COMMIT leave together, before any answer
    await bookIn(ledger, `before ${identity}`);
    const inDoubt = ledger.atomic(request(identity), async (tx) => {
      await place.insertBooking(tx, identity);
      proxy.freeze("answers");
      return done("the one");
    });
    const ended = inDoubt.catch((error: unknown) => error);
    // committed on the server, though nobody was told
    while (!(await place.bookings()).includes(identity)) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.cut();
    expect(await ended).toMatchObject(away);
    proxy.thaw();
    const again = await ledger.atomic(request(identity), async () => done("another"));
    expect(again).toMatchObject({ is: "done", outcome: "the one" });
    await end();
  });

  test("a connection cut under a statement that it never saw before: away, and the process goes on", async () => {
    const { rows } = await place.admin.query("select clock_timestamp() as now");
    const { ledger, end } = await behindProxy(driver, "20s");
    proxy.freeze("answers");
    const cut = ledger.claim(request(`cut ${driver}`)).catch((error: unknown) => error);
    // it has arrived, and is no other's: else nothing would be under way
    const arrived = `select 1 from pg_stat_activity
      where query like '%${place.schema}%on conflict do nothing%' and backend_start > $1`;
    await expect
      .poll(() => place.admin.query(arrived, [rows[0]?.now]).then(({ rowCount }) => rowCount), { timeout: 20_000 })
      .toBeGreaterThan(0);
    proxy.cut();
    expect(await cut).toMatchObject(away);
    proxy.thaw();
    expect((await ledger.claim(request(`after ${driver}`))).is).toBe("won");
    await end();
  });

  test("a server that says nothing is away at the deadline; what comes after goes over other connections", async () => {
    const { ledger, end } = await behindProxy(driver, "500ms");
    const job = request(`silent ${driver}`);
    proxy.freeze("all");
    await expect(ledger.claim(job)).rejects.toMatchObject(away);
    proxy.thaw();
    // it may have arrived or not: the same attempt wins either way
    await expect
      .poll(() => ledger.claim(job).catch(() => ({ is: "away" })), { timeout: 20_000 })
      .toMatchObject({ is: "won" });
    await end();
  });

  test("a server that falls silent during the work: the work's statement fails in time, and nothing is kept", async () => {
    const { ledger, end } = await behindProxy(driver, "500ms");
    const identity = `silent in the work ${driver}`;
    const silent = ledger.atomic(request(identity), async (tx) => {
      await place.insertBooking(tx, identity);
      proxy.freeze("all");
      await tx.query("select 1");
      return done();
    });
    await expect(silent).rejects.toMatchObject(away);
    proxy.cut();
    proxy.thaw();
    await expect
      .poll(async () => (await bookIn(ledger, identity).catch(() => ({ is: "away" }))).is, { timeout: 20_000 })
      .toBe("ran");
    await end();
  });

  test("an error that the work swallowed undoes all of it, and comes out as it was", async () => {
    const ledger = await place.ledger(driver);
    const identity = `swallowed ${driver}`;
    const swallowing = ledger.atomic(request(identity), async (tx) => {
      await place.insertBooking(tx, identity);
      await tx.query("select 1 / 0").catch(() => undefined);
      return done();
    });
    await expect(swallowing).rejects.toMatchObject({ code: "22012" });
    const plain = ledger.transaction(async (tx) => {
      await place.insertBooking(tx, identity);
      await tx.query("select 1 / 0").catch(() => undefined);
    });
    await expect(plain).rejects.toMatchObject({ code: "22012" });
    expect(await place.bookings()).not.toContain(identity);
    expect(await ledger.find(request(identity))).toBeNull();
  });

  test("a transaction that its process stops in is ended by the server, of external work and of none too", async () => {
    const ledger = await place.ledger(driver);
    const timeouts: unknown[] = [];
    const ask = async (tx: PostgresTransaction) => {
      const [row] = await tx.query("select current_setting('idle_in_transaction_session_timeout') as idle");
      timeouts.push(row?.["idle"]);
    };
    await ledger.transaction(ask);
    const claim = await ledger.claim(request(`idling ${driver}`));
    if (claim.is !== "won") throw new Error(`not won: ${claim.is}`);
    await ledger.transact(claim.fence, "write", async (tx) => ({ value: await ask(tx), answer: "1[]" }));
    await ledger.conclude(claim.fence, { keepMs: 1_000, visited: ["write"] }, async (tx) => {
      return { value: await ask(tx), outcome: "1[]", refused: false };
    });
    expect(timeouts).toEqual(["1min", "1min", "1min"]);
  });

  test("a statement that is no text, as the driver's own form is, is refused and not taken for a lost ledger", async () => {
    const ledger = await place.ledger(driver);
    const statement = { text: "select 1" } as unknown as string;
    const asked = ledger.transaction((tx) => tx.query(statement));
    await expect(asked).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  });

  test.each([
    "commit",
    "; -- a\n/* b */ ROLLBACK",
    "begin",
    "start  transaction",
    "abort",
    "end",
    "prepare transaction 'x'",
  ])("the work cannot end its transaction: %j is refused", async (text) => {
    const ledger = await place.ledger(driver);
    const ending = ledger.transaction((tx) => tx.query(text));
    await expect(ending).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    const two = ledger.transaction((tx) => tx.query("select 1; commit"));
    await expect(two).rejects.toMatchObject({ code: "42601" });
    const savepoint = ledger.transaction(async (tx) => {
      await tx.query("savepoint own");
      await tx.query("select 1 / 0").catch(() => undefined);
      await tx.query("rollback to own");
      return tx.query("select 'kept' as it");
    });
    await expect(savepoint).resolves.toEqual([{ it: "kept" }]);
  });
});

test.each(drivers)("over %s a server that refuses connections is away, and not busy", async (driver) => {
  const { hostname, port } = new URL(postgresUrl);
  const forwarder = await startForwarder({ host: hostname, port: Number(port || 5432) });
  const url = new URL(postgresUrl);
  url.hostname = "127.0.0.1";
  url.port = String(forwarder.port);
  const pool = driver === "pg" ? pgPool(url.href, 1) : postgres(url.href, { max: 1, onnotice: () => undefined });
  const ledger = postgresLedger({ pool, schema: place.schema, deadline: "500ms" });
  await ledger.open();
  await forwarder.close();
  for (const identity of ["first", "second"]) {
    await expect(ledger.claim(request(`refused ${identity} ${driver}`))).rejects.toMatchObject(away);
  }
  await ledger.close();
  // one that has waited in vain never ends by itself
  if ("totalCount" in pool) await pool.end();
  else void pool.end({ timeout: 0 });
});

describe("opening", () => {
  test("a function that is missing later is told as such, and opening anew creates it", async () => {
    const schema = `${place.schema}_functions`;
    const pool = pgPool(postgresUrl, 2);
    const ledger = postgresLedger({ pool, schema });
    await ledger.open();
    const { rows } = await pool.query<{ readonly name: string }>(
      "select oid::regprocedure::text as name from pg_proc where pronamespace = $1::regnamespace",
      [schema],
    );
    for (const { name } of rows) await pool.query(`drop function ${name}`);
    const lost = ledger.atomic(request("no function"), async () => done());
    await expect(lost).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
    const anew = postgresLedger({ pool, schema });
    expect(await anew.atomic(request("no function"), async () => done())).toMatchObject({ is: "ran" });
    await ledger.close();
    await anew.close();
    await pool.query(`drop schema ${schema} cascade`);
    await pool.end();
  });

  test("several instances create the tables at once, in a schema of any name; another version is refused", async () => {
    const schema = `${place.schema} "odd"`;
    const pool = pgPool(postgresUrl, 8);
    const ledgers = Array.from({ length: 6 }, () => postgresLedger({ pool, schema, deadline: "60s" }));
    await Promise.all(ledgers.map((ledger) => ledger.open()));
    expect((await ledgers[3]?.claim(request("a", "k")))?.is).toBe("won");
    expect((await ledgers[4]?.claim(request("a", "k")))?.is).toBe("running");
    const quoted = `"${schema.replaceAll('"', '""')}"`;
    await place.admin.query(`update ${quoted}.reprise_meta set value = '2' where name = 'schema'`);
    await expect(postgresLedger({ pool, schema }).open()).rejects.toMatchObject({ code: "REPRISE_LEDGER_SCHEMA" });
    await place.admin.query(`drop table ${quoted}.reprise_work`);
    await expect(ledgers[0]?.claim(request("a"))).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
    for (const ledger of ledgers) await ledger.close();
    await pool.end();
    await place.admin.query(`drop schema ${quoted} cascade`);
  });

  test("where nobody listens, it is away, and a later use opens it", async () => {
    const pool = pgPool("postgres://postgres@127.0.0.1:1/test", 2);
    const ledger = postgresLedger({ pool, schema: place.schema });
    await expect(ledger.open()).rejects.toMatchObject(away);
    await expect(ledger.claim(request("a"))).rejects.toMatchObject(away);
    await ledger.close();
    await pool.end();
  });
});
