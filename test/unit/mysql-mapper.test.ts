import type { PoolConnection } from "mysql2/promise";
import { beforeEach, describe, expect, test } from "vitest";
import { bookings, database, finished, gate, mapped, request, won } from "./mysql-stand.ts";

const ended = { code: "REPRISE_BAD_DECLARATION", message: expect.stringContaining("the run has ended it") };

/** What each leaves behind of what the transaction wrote before. */
const endings = [
  { name: "commit", statements: ["commit"], commits: true },
  { name: "a truncated table", statements: ["truncate seat"], commits: true },
  { name: "a changed table", statements: ["create or replace table other (a int)"], commits: true },
  { name: "start transaction", statements: ["start transaction"], commits: true },
  { name: "autocommit that was off", statements: ["set autocommit = 0", "set autocommit = 1"], commits: true },
  { name: "a procedure that commits", statements: ["call commits()"], commits: true },
  { name: "rollback", statements: ["rollback"], commits: false },
  { name: "rollback and another", statements: ["rollback", "start transaction"], commits: false },
];

/** A run that books, and then ends its transaction. */
function endingBy(statements: readonly string[]) {
  const run = async (tx: PoolConnection) => {
    run.times += 1;
    await tx.query("insert into booking values ('before')");
    for (const statement of statements) await tx.query(statement);
    return { ...finished, answer: "1" };
  };
  run.times = 0;
  return run;
}

beforeEach(() => database.query("create or replace procedure commits() begin commit; end"));

describe.each(endings)("a run that ends a mapper's transaction by $name is told so, and runs once:", (ending) => {
  const { statements, commits } = ending;
  const written = commits ? ["before"] : [];

  test("of database work no outcome is kept, and what it committed does not run again", async () => {
    const { ledger } = await mapped();
    const run = endingBy(statements);
    await expect(ledger.atomic(request(), run)).rejects.toMatchObject(ended);
    expect([run.times, await bookings()]).toEqual([1, written]);
    const again = await ledger.atomic(request(), async () => finished);
    expect(again).toMatchObject(commits ? { is: "unknown", effect: "(commit)" } : { is: "ran" });
  });

  test("of work in the caller's transaction too, and the caller is not asked to repeat", async () => {
    const { ledger, transactions } = await mapped();
    const run = endingBy(statements);
    const joined = transactions.begin(async (tx) => {
      await tx.query("insert into booking values ('caller')");
      return ledger.join(tx, request(), run);
    });
    await expect(joined).rejects.toMatchObject(ended);
    expect([run.times, await bookings()]).toEqual([1, commits ? ["before", "caller"] : []]);
    const again = await ledger.atomic(request(), async () => finished);
    expect(again).toMatchObject(commits ? { is: "unknown", effect: "(commit)" } : { is: "ran" });
  });

  test("of a transaction of external work no record, of the last one no outcome, of a plain one no success", async () => {
    const { ledger } = await mapped();
    const { fence } = await won(ledger);
    const run = endingBy(statements);
    await expect(ledger.transact(fence, "seat", run)).rejects.toMatchObject(ended);
    const concluding = { keepMs: 60_000, visited: [] };
    await expect(ledger.conclude(fence, concluding, run)).rejects.toMatchObject(ended);
    expect(await ledger.history(fence.id)).toMatchObject({ run: { state: "running" }, effects: [] });
    await expect(ledger.transaction(run)).rejects.toMatchObject(ended);
    expect([run.times, await bookings()]).toEqual([3, [...written, ...written, ...written]]);
    expect(await ledger.conclude(fence, concluding, async () => finished)).toMatchObject({ is: "done" });
  });
});

test("joined work that commits and then throws does not ask its caller to repeat what is committed", async () => {
  const { ledger, transactions } = await mapped();
  const joined = transactions.begin((tx) =>
    ledger.join(tx, request(), async (own) => {
      await own.query("commit");
      throw new Error("too late");
    }),
  );
  await expect(joined).rejects.toMatchObject({ ...ended, cause: { message: "too late" } });
});

test("a deadlock that the work swallowed has ended its transaction too: it is told so, and is not repeated", async () => {
  const { ledger } = await mapped();
  const [first, second] = [gate(), gate()];
  let runs = 0;
  const attempt = (mine: number, theirs: number, own: () => void, other: Promise<void>) =>
    ledger.atomic(request(`a${mine}`), async (tx) => {
      runs += 1;
      await tx.query("update seat set taken = taken + 1 where number = ?", [mine]);
      own();
      await other;
      await tx.query("update seat set taken = taken + 1 where number = ?", [theirs]).catch(() => undefined);
      await tx.query("insert into booking values (?)", [`from ${mine}`]);
      return finished;
    });
  const told = await Promise.allSettled([
    attempt(1, 2, first.open, second.opened),
    attempt(2, 1, second.open, first.opened),
  ]);
  expect(told.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(told.find(({ status }) => status === "rejected")).toMatchObject({ reason: ended });
  // what followed the deadlock was committed by itself
  expect([runs, await bookings()]).toEqual([2, ["from 1", "from 2"]]);
});

test("an error about a savepoint of the work's own undoes joined work alone, and the caller goes on", async () => {
  const { ledger, transactions } = await mapped();
  await transactions.begin(async (tx) => {
    await tx.query("insert into booking values ('caller')");
    const failing = ledger.join(tx, request(), async (own) => {
      await own.query("insert into booking values ('undone')");
      await own.query("release savepoint unknown");
      return finished;
    });
    await expect(failing).rejects.toMatchObject({ errno: 1305 });
  });
  expect(await bookings()).toEqual(["caller"]);
});

test("a transaction whose work did not wait for what it appends is rolled back with it", async () => {
  const { ledger } = await mapped();
  const { registers } = ledger;
  if (registers === undefined) throw new Error("no registers");
  const hasty = ledger.transaction(async (tx) => {
    await tx.query("insert into booking values ('hasty')");
    registers.appendIn?.(tx, "log/", "hasty").catch(() => {});
  });
  await expect(hasty).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  expect(await bookings()).toEqual([]);
  expect(await registers.list({ prefix: "log/", after: null, limit: 9 })).toEqual([]);
});
