import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReprise, unchecked } from "reprise";
import { sqliteLedger } from "reprise/sqlite";
import type { Figure } from "../figure.ts";
import { type Database, openDatabase } from "../sqlite.ts";
import { type Booking, confirm, nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import { namings, type Way } from "./postgres-ways.ts";
import { type Part, rate, ratio, standing } from "./standing.ts";

/**
 * The same on SQLite, one after the other: there is one writer. Each has a file of its own, and every commit waits for the
 * disk. No statement travels, so no trips are counted.
 */
export const atomicSqlite: Part = async (rounds) => {
  const folder = mkdtempSync(join(tmpdir(), "reprise-bench-"));
  try {
    return { figures: await measure(folder, rounds) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const name = "atomic.sqlite";
const table = `create table booking (id integer primary key, reference text not null, seat integer not null) strict`;
const insert = "insert into booking (reference, seat) values (?, ?)";

async function measure(folder: string, rounds: number): Promise<readonly Figure[]> {
  const bareFile = await openDatabase(join(folder, "bare.sqlite"));
  const handFile = await openDatabase(join(folder, "hand.sqlite"));
  const prepared = await openDatabase(join(folder, "ledger.sqlite"));
  for (const database of [bareFile, handFile, prepared]) database.exec(table);
  prepared.close();

  const path = join(folder, "ledger.sqlite");
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger: sqliteLedger({ path }) });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<Booking>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.query(insert, [input.reference, input.seat]);
      return confirm(input);
    },
  });
  await reprise.start();
  const ways: Readonly<Record<string, Way>> = {
    bare: bare(bareFile),
    handWritten: handWritten(handFile),
    ...namings(book),
  };
  const contestants = Object.entries(ways).map(([way, once]) => ({ name: way, once: () => once(nextBooking()) }));
  const results = await contest(contestants, { clients: 1, rounds, sliceMs: 300 });
  await reprise.close();
  bareFile.close();
  handFile.close();
  return [
    ...standing(results, name, { of: ["reprise", "handWritten"], goal: 0.9 }),
    ratio(`${name}.twoNames.ofHandWritten`, results.ofRate("twoNames", "handWritten")),
    ...standing(results, name, { of: ["reprise", "bare"] }),
    rate(name, results.perSecond("reprise")),
    rate(`${name}.twoNames`, results.perSecond("twoNames")),
    rate(`${name}.handWritten`, results.perSecond("handWritten")),
    rate(`${name}.bare`, results.perSecond("bare")),
  ];
}

function bare(database: Database): Way {
  const work = database.prepare(insert);
  return async (booking) => {
    transact(database, () => work.run(booking.reference, booking.seat));
    return confirm(booking);
  };
}

function handWritten(database: Database): Way {
  database.exec(`create table handwritten (name text primary key, response text,
    created_at integer not null default (unixepoch())) strict`);
  const claim = database.prepare("insert into handwritten (name) values (?) on conflict do nothing");
  const work = database.prepare(insert);
  const keep = database.prepare("update handwritten set response = ? where name = ?");
  return async (booking) => {
    const { reference, seat } = booking;
    return transact(database, () => {
      if (Number(claim.run(reference).changes) === 0) throw new Error("this key was there before");
      work.run(reference, seat);
      const confirmation = confirm(booking);
      keep.run(JSON.stringify(confirmation), reference);
      return confirmation;
    });
  };
}

function transact<T>(database: Database, work: () => T): T {
  database.exec("begin immediate");
  try {
    const value = work();
    database.exec("commit");
    return value;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}
