import { randomBytes } from "node:crypto";
import mysql, { type Connection, type RowDataPacket } from "mysql2/promise";
import { createReprise } from "reprise";
import { mysqlLedger } from "reprise/mysql";
import type { Figure } from "../figure.ts";
import { askMariadb, mariadbServer as server } from "../operations/mariadb-place.ts";
import { ratio, whereIs } from "../operations/standing.ts";
import { interleave, median, ratios } from "../rounds.ts";
import type { JobPart } from "./parts.ts";
import { isWhole } from "./whole.ts";

/** A million rows of MariaDB's beside a guarded upsert, as somebody would write it: loaded first, then once more. */
export const loadMariadb: JobPart = ({ quick }) =>
  whereIs("MariaDB", askMariadb, () => measure(quick ? 200_000 : 1_000_000, quick ? 1 : 3));

const windowRows = 50_000;

interface Turn {
  readonly seconds: number;
  readonly redoMb: number;
}
interface Turns {
  readonly first: Turn;
  readonly rerun: Turn;
}

async function measure(rows: number, rounds: number): Promise<readonly Figure[]> {
  const database = `reprise_bench_${randomBytes(6).toString("hex")}`;
  const admin = await mysql.createConnection(server);
  await admin.query(`create database ${database}`);
  await admin.query(`use ${database}`);
  try {
    await fill(admin, rows);
    const pool = mysql.createPool({ ...server, database, connectionLimit: 4 });
    const reprise = createReprise({ service: "bench", undecided: "listed", ledger: mysqlLedger({ pool }) });
    await reprise.start();
    const load = async (fact: string) => {
      const made = reprise.load({
        ...{ name: fact, from: "transactions", into: fact, identity: ["txn_ref", "txn_date"], newer: "source_version" },
        ...{ ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep" },
        windows: { rows: windowRows },
      });
      return async () => isWhole(await made.run(), rows);
    };
    const byHand = async (fact: string) => async () => {
      await admin.query(handWritten(fact));
    };
    let tables = 0;
    const twice = async (make: (fact: string) => Promise<() => Promise<void>>): Promise<Turns> => {
      tables += 1;
      const fact = `fact_${tables}`;
      await admin.query(
        `create table ${fact} (id bigint auto_increment primary key, ${types}, unique (txn_ref, txn_date))`,
      );
      const once = await make(fact);
      const turns = { first: await measured(admin, once), rerun: await measured(admin, once) };
      await admin.query(`drop table ${fact}`);
      return turns;
    };
    const turns = await interleave<Turns>(
      [
        { name: "handWritten", run: () => twice(byHand) },
        { name: "windows", run: () => twice(load) },
      ],
      rounds,
    );
    await reprise.close();
    await pool.end();
    return figuresOf(turns, rows);
  } finally {
    await admin.query(`drop database ${database}`);
    await admin.end();
  }
}

function figuresOf(turns: ReadonlyMap<string, readonly Turns[]>, rows: number): readonly Figure[] {
  const of = (name: string, turn: keyof Turns, what: keyof Turn) =>
    (turns.get(name) ?? []).map((took) => took[turn][what]);
  const ofHandWritten = (turn: keyof Turns) =>
    median(ratios(of("handWritten", turn, "seconds"), of("windows", turn, "seconds")));
  const redo = (name: string, wanted: string, goal?: number): Figure => ({
    ...{ name: `load.mariadb.${name}`, value: Math.max(0, ...of(wanted, "rerun", "redoMb")), unit: "MB" },
    ...{ better: "lower", goal },
  });
  const perSecond = (name: string, wanted: string, turn: keyof Turns): Figure => ({
    name: `load.mariadb.${name}.rowsPerSecond`,
    value: rows / median(of(wanted, turn, "seconds")),
    ...{ unit: "1/s", better: "higher" },
  });
  return [
    ratio("load.mariadb.first.ofHandWritten", ofHandWritten("first")),
    ratio("load.mariadb.rerun.ofHandWritten", ofHandWritten("rerun"), 1),
    redo("rerun.redoMb", "windows", 1),
    redo("rerun.handWritten.redoMb", "handWritten"),
    perSecond("first", "windows", "first"),
    perSecond("first.handWritten", "handWritten", "first"),
    perSecond("rerun", "windows", "rerun"),
    perSecond("rerun.handWritten", "handWritten", "rerun"),
  ];
}

const types = `txn_ref varchar(40) not null, txn_date date not null, source_version int not null, amount decimal(12, 2),
  customer int, status varchar(10), note varchar(80)`;
const columns = ["txn_ref", "txn_date", "source_version", "amount", "customer", "status", "note"];

/** Rows come as they come, with an index over their key, as staging tables of a size that is cut into windows have one. */
async function fill(admin: Connection, rows: number): Promise<void> {
  await admin.query(`create table transactions (${types}, key (txn_ref, txn_date))`);
  await admin.query(`insert into transactions select concat('txn-', lpad((seq * 7919) % 100000007, 9, '0')),
    date_add('2026-01-01', interval seq % 180 day), 1, seq % 100000 / 100, seq % 5000,
    elt(1 + seq % 3, 'paid', 'open', 'void'), concat('note of transaction ', seq) from seq_1_to_${rows}`);
  await admin.query("analyze table transactions");
}

/** The version last, since the server assigns from left to right. */
function handWritten(fact: string): string {
  const changed = columns
    .slice(3)
    .map(
      (column) =>
        `${column} = if(values(source_version) > ${fact}.source_version, values(${column}), ${fact}.${column})`,
    );
  return `insert into ${fact} (${columns.join(", ")}) select ${columns.join(", ")} from transactions
    on duplicate key update ${changed.join(", ")}, source_version = greatest(${fact}.source_version, values(source_version))`;
}

async function measured(admin: Connection, once: () => Promise<void>): Promise<Turn> {
  const before = await written(admin);
  const began = performance.now();
  await once();
  const seconds = (performance.now() - began) / 1_000;
  return { seconds, redoMb: ((await written(admin)) - before) / 2 ** 20 };
}

async function written(admin: Connection): Promise<number> {
  const [[row]] = await admin.query<RowDataPacket[]>("show global status like 'Innodb_lsn_current'");
  return Number(row?.["Value"]);
}
