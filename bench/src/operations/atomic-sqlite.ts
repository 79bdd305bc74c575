import { createHash } from "node:crypto";
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
const dayMs = 86_400_000;
const owner = "host-1234-abcd";
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
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
  const kept = sqliteLedger({ path: join(folder, "record.sqlite") });
  await kept.open();
  await kept.close();
  const recordFile = await openDatabase(join(folder, "record.sqlite"));
  recordFile.exec(table);
  const ways: Readonly<Record<string, Way>> = {
    bare: bare(bareFile),
    handWritten: handWritten(handFile),
    record: record(recordFile),
    ...namings(book),
  };
  const contestants = Object.entries(ways).map(([way, once]) => ({ name: way, once: () => once(nextBooking()) }));
  const results = await contest(contestants, { clients: 1, rounds, sliceMs: 300 });
  await reprise.close();
  for (const database of [bareFile, handFile, recordFile]) database.close();
  return [
    ...standing(results, name, { of: ["reprise", "handWritten"], goal: 0.9 }),
    ratio(`${name}.twoNames.ofHandWritten`, results.ofRate("twoNames", "handWritten")),
    ratio(`${name}.record.ofHandWritten`, results.ofRate("record", "handWritten")),
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

/** The limit: what the ledger keeps of it, by the driver alone. */
function record(database: Database): Way {
  const look = database.prepare("select 1 from reprise_work where name = ?");
  const work = database.prepare(insert);
  const keep =
    database.prepare(`insert into reprise_work (name, print, print_v, operation, identity, principal, owner, state,
    outcome, refused, keep_until, created_at, ended_at) values (?, ?, 1, 'seat.book', ?, 'everyone', ?, 'd', ?, 0, ?, ?, ?)`);
  return async (booking) => {
    const { reference, seat } = booking;
    const print = hashOf(reference);
    const name = print.slice(0, 32);
    return transact(database, () => {
      if (look.get(name) !== undefined) throw new Error("this name was there before");
      work.run(reference, seat);
      const confirmation = confirm(booking);
      const now = Date.now();
      keep.run(name, print, reference, owner, JSON.stringify(confirmation), now + dayMs, now, now);
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
