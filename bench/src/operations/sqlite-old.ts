import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReprise, unchecked } from "reprise";
import { sqliteLedger } from "reprise/sqlite";
import type { Figure } from "./figure.ts";
import { compare } from "./rounds.ts";
import { type Database, openDatabase } from "./sqlite.ts";

const table = "create table if not exists bookings (reference text primary key, seat integer not null) strict";
const insert = "insert into bookings (reference, seat) values (?, ?)";

/**
 * A database operation on the SQLite ledger, beside what it stands on: the same insert in a transaction of its own, and
 * with a key table as most write it (claim, work and outcome in one transaction). Each has a file of its own; every
 * commit waits for the disk.
 */
export async function measureOperations(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "reprise-bench-"));
  try {
    return await measureIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureIn(folder: string): Promise<readonly Figure[]> {
  const bare = await openDatabase(join(folder, "bare.sqlite"));
  const keyed = await openDatabase(join(folder, "keyed.sqlite"));
  const prepared = await openDatabase(join(folder, "ledger.sqlite"));
  for (const database of [bare, keyed, prepared]) database.exec(table);
  prepared.close();

  const reprise = createReprise({
    service: "bench",
    undecided: "listed",
    ledger: sqliteLedger({ path: join(folder, "ledger.sqlite") }),
  });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<{ readonly reference: string; readonly seat: number }>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.query(insert, [input.reference, input.seat]);
      return { seat: input.seat };
    },
  });
  await reprise.start();

  let next = 0;
  const fresh = () => ({ reference: `booking-${next++}`, seat: 7 });
  const known = fresh();
  await book.run(known);

  const times = await compare(
    [
      { name: "operation", run: repeat(() => book.run(fresh())) },
      { name: "bare", run: repeat(bareInsert(bare, fresh)) },
      { name: "keyed", run: repeat(keyTable(keyed, fresh)) },
    ],
    { rounds: 9, count: 300 },
  );
  const replays = await compare([{ name: "replay", run: repeat(() => book.run(known)) }], { rounds: 9, count: 1_000 });
  await reprise.close();
  bare.close();
  keyed.close();

  const milliseconds = (name: string) => (times.get(name) ?? Number.NaN) / 1e6;
  return [
    { name: "operations: database operation", value: milliseconds("operation"), unit: "ms", better: "lower" },
    { name: "operations: bare insert", value: milliseconds("bare"), unit: "ms", better: "lower" },
    { name: "operations: key table by hand", value: milliseconds("keyed"), unit: "ms", better: "lower" },
    { name: "operations: to the bare insert", value: ratio(times, "bare"), unit: "times", better: "lower" },
    { name: "operations: to the key table", value: ratio(times, "keyed"), unit: "times", better: "lower" },
    { name: "operations: replay", value: (replays.get("replay") ?? Number.NaN) / 1e6, unit: "ms", better: "lower" },
  ];
}

const ratio = (times: ReadonlyMap<string, number>, to: string): number =>
  (times.get("operation") ?? Number.NaN) / (times.get(to) ?? Number.NaN);

const repeat = (work: () => unknown) => async (count: number) => {
  for (let index = 0; index < count; index += 1) await work();
};

type Fresh = () => { readonly reference: string; readonly seat: number };

function bareInsert(database: Database, fresh: Fresh): () => void {
  const statement = database.prepare(insert);
  return () => {
    const { reference, seat } = fresh();
    transact(database, () => statement.run(reference, seat));
  };
}

function keyTable(database: Database, fresh: Fresh): () => void {
  database.exec("create table keys (name text primary key, outcome text) strict");
  const claim = database.prepare("insert into keys (name) values (?) on conflict do nothing");
  const work = database.prepare(insert);
  const complete = database.prepare("update keys set outcome = ? where name = ?");
  return () => {
    const { reference, seat } = fresh();
    transact(database, () => {
      if (Number(claim.run(reference).changes) === 0) throw new Error("this key was there before");
      work.run(reference, seat);
      complete.run(JSON.stringify({ seat }), reference);
    });
  };
}

function transact(database: Database, work: () => void): void {
  database.exec("begin immediate");
  try {
    work();
    database.exec("commit");
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}
