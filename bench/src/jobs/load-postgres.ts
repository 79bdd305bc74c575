import { createReprise, type Load } from "reprise";
import { postgresLedger } from "reprise/postgres";
import type { Figure } from "../figure.ts";
import { askPostgres, openPostgresPlace, type PostgresPlace } from "../operations/postgres-place.ts";
import { ratio, whereIs } from "../operations/standing.ts";
import { interleave, median, ratios } from "../rounds.ts";
import type { JobPart } from "./parts.ts";
import { isWhole } from "./whole.ts";

/** A million rows beside a guarded upsert in one statement, as somebody would write it: loaded first, then once more. */
export const loadPostgres: JobPart = ({ quick }) =>
  whereIs("PostgreSQL", askPostgres, () => measure(quick ? 200_000 : 1_000_000, quick ? 1 : 3));

/** Five times as many rows: what a row costs must not grow with their number. */
export const loadPostgresLarge: JobPart = async ({ quick }) => {
  if (quick) return { figures: [], skipped: "it has millions of rows" };
  return whereIs("PostgreSQL", askPostgres, measureLarge);
};

const windowRows = 50_000;

interface Turn {
  readonly seconds: number;
  readonly walMb: number;
  readonly burned: number;
  /** Of the windows' transactions. */
  readonly longestMs: number;
}
interface Turns {
  readonly first: Turn;
  readonly rerun: Turn;
}

async function measure(rows: number, rounds: number): Promise<readonly Figure[]> {
  const bench = await openBench(rows);
  try {
    const contestants = { handWritten: bench.handWritten, whole: bench.load("whole"), windows: bench.load("windows") };
    const turns = await interleave<Turns>(
      Object.entries(contestants).map(([name, once]) => ({ name, run: () => bench.twice(once) })),
      rounds,
    );
    const seconds = (name: keyof typeof contestants, turn: keyof Turns) =>
      (turns.get(name) ?? []).map((took) => took[turn].seconds);
    const ofHandWritten = (name: keyof typeof contestants, turn: keyof Turns) =>
      median(ratios(seconds("handWritten", turn), seconds(name, turn)));
    // of the server as a whole, where others may write too: what it takes is what the quietest round took
    const least = (name: keyof typeof contestants, turn: keyof Turns, of: keyof Turn) =>
      Math.min(...(turns.get(name) ?? []).map((took) => took[turn][of]));
    const worst = (name: keyof typeof contestants, turn: keyof Turns, of: keyof Turn) =>
      Math.max(...(turns.get(name) ?? []).map((took) => took[turn][of]));
    const longest = Math.max(worst("windows", "first", "longestMs"), worst("windows", "rerun", "longestMs"));
    return [
      ratio("load.postgres.first.ofHandWritten", ofHandWritten("whole", "first"), 0.7),
      ratio("load.postgres.firstWindows.ofHandWritten", ofHandWritten("windows", "first"), 0.6),
      ratio("load.postgres.rerun.ofHandWritten", ofHandWritten("whole", "rerun"), 1.2),
      ratio("load.postgres.rerunWindows.ofHandWritten", ofHandWritten("windows", "rerun"), 0.8),
      megabytes("load.postgres.rerun.walMb", least("whole", "rerun", "walMb"), 1),
      megabytes("load.postgres.rerunWindows.walMb", least("windows", "rerun", "walMb"), 1),
      megabytes("load.postgres.rerun.handWritten.walMb", least("handWritten", "rerun", "walMb")),
      { ...values("load.postgres.rerun.burned", worst("whole", "rerun", "burned")), goal: 0 },
      { ...values("load.postgres.rerunWindows.burned", worst("windows", "rerun", "burned")), goal: 0 },
      values("load.postgres.rerun.handWritten.burned", worst("handWritten", "rerun", "burned")),
      { name: "load.postgres.window.longest", value: longest, unit: "ms", better: "lower", goal: 1_000 },
      perSecond("load.postgres.first", rows, seconds("whole", "first")),
      perSecond("load.postgres.firstWindows", rows, seconds("windows", "first")),
      perSecond("load.postgres.first.handWritten", rows, seconds("handWritten", "first")),
      perSecond("load.postgres.rerun", rows, seconds("whole", "rerun")),
      perSecond("load.postgres.rerunWindows", rows, seconds("windows", "rerun")),
      perSecond("load.postgres.rerun.handWritten", rows, seconds("handWritten", "rerun")),
    ];
  } finally {
    await bench.place.drop();
  }
}

async function measureLarge(): Promise<readonly Figure[]> {
  const [one, five] = [await once(1_000_000), await once(5_000_000)];
  const growth = (turn: keyof Turns) => five[turn].seconds / (5 * one[turn].seconds);
  const grows = (name: string, value: number): Figure => ({ name, value, unit: "ratio", better: "lower", goal: 1.3 });
  return [
    grows("load.postgres.firstWindows.fiveMillion.costOfARow", growth("first")),
    grows("load.postgres.rerunWindows.fiveMillion.costOfARow", growth("rerun")),
    megabytes("load.postgres.rerunWindows.fiveMillion.walMb", five.rerun.walMb, 5),
  ];
}

async function once(rows: number): Promise<Turns> {
  const bench = await openBench(rows);
  try {
    return await bench.twice(bench.load("windows"));
  } finally {
    await bench.place.drop();
  }
}

type Once = (fact: string) => Promise<{ readonly longestMs: number }>;

interface Bench {
  readonly place: PostgresPlace;
  readonly handWritten: Once;
  readonly load: (windows: "whole" | "windows") => Once;
  /** Into a table of its own, and once more. */
  readonly twice: (once: Once) => Promise<Turns>;
}

const columns = ["txn_ref", "txn_date", "source_version", "amount", "customer", "status", "note"];
const types = `txn_ref text not null, txn_date date not null, source_version int not null, amount numeric(12, 2),
  customer int, status text, note text`;

/** Rows come as they come, with an index over their key, as staging tables of a size that is cut into windows have one. */
async function openBench(rows: number): Promise<Bench> {
  const place = await openPostgresPlace();
  const pool = place.pool();
  const { schema } = place;
  const staging = `${schema}.transactions`;
  await pool.query(`create table ${staging} (${types}) with (autovacuum_enabled = false)`);
  await pool.query(
    `insert into ${staging} select 'txn-' || lpad(((n::bigint * 7919) % 100000007)::text, 9, '0'), date '2026-01-01' + n % 180, 1,
      n % 100000 / 100.0, n % 5000, (array['paid', 'open', 'void'])[1 + n % 3], 'note of transaction ' || n
      from generate_series(1, $1::int) n`,
    [rows],
  );
  await pool.query(`create index on ${staging} (txn_ref, txn_date)`);
  await pool.query(`vacuum analyze ${staging}`);

  const ledger = postgresLedger({ pool, schema });
  const { sql } = ledger;
  if (sql === undefined) throw new Error("the ledger lies in no database");
  let longestMs = 0;
  const timed: typeof sql = {
    dialect: sql.dialect,
    query: (tx, text, params) => sql.query(tx, text, params),
    begin: async (work, statementMs) => {
      const began = performance.now();
      const value = await sql.begin(work, statementMs);
      // a window's, not those that look before the first write
      if (isCounts(value)) longestMs = Math.max(longestMs, performance.now() - began);
      return value;
    },
  };
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger: { ...ledger, sql: timed } });
  await reprise.start();
  const loads = new Map<string, Load>();
  const loadInto = (fact: string, windows: "whole" | "windows"): Load => {
    const known = loads.get(fact);
    if (known !== undefined) return known;
    const made = reprise.load({
      ...{ name: fact, from: staging, into: fact, identity: ["txn_ref", "txn_date"], newer: "source_version" },
      ...{ ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep" },
      windows: windows === "whole" ? "whole" : { rows: windowRows },
    });
    loads.set(fact, made);
    return made;
  };

  let tables = 0;
  const measured = async (fact: string, once: Once): Promise<Turn> => {
    await pool.query("checkpoint");
    const before = await standing(pool, fact);
    const began = performance.now();
    const { longestMs } = await once(fact);
    const seconds = (performance.now() - began) / 1_000;
    const after = await standing(pool, fact);
    return { seconds, walMb: (after.wal - before.wal) / 2 ** 20, burned: after.identity - before.identity, longestMs };
  };

  return {
    place: {
      ...place,
      drop: async () => {
        await reprise.close();
        await place.drop();
      },
    },
    handWritten: async (fact) => {
      const set = columns.slice(2).map((column) => `${column} = excluded.${column}`);
      await pool.query(`insert into ${fact} (${columns.join(", ")}) select ${columns.join(", ")} from ${staging}
        on conflict (txn_ref, txn_date) do update set ${set.join(", ")} where ${short(fact)}.source_version < excluded.source_version`);
      return { longestMs: 0 };
    },
    load: (windows) => async (fact) => {
      longestMs = 0;
      isWhole(await loadInto(fact, windows).run(), rows);
      return { longestMs };
    },
    twice: async (once) => {
      tables += 1;
      const fact = `${schema}.fact_${tables}`;
      await pool.query(`create table ${fact} (id bigint generated always as identity primary key, ${types},
        unique (txn_ref, txn_date)) with (autovacuum_enabled = false)`);
      const turns = { first: await measured(fact, once), rerun: await measured(fact, once) };
      await pool.query(`drop table ${fact}`);
      return turns;
    },
  };
}

function isCounts(value: unknown): boolean {
  return typeof value === "object" && value !== null && "refusedOlder" in value;
}
function short(fact: string): string {
  return fact.slice(fact.indexOf(".") + 1);
}

async function standing(pool: ReturnType<PostgresPlace["pool"]>, fact: string) {
  const { rows } = await pool.query<{ readonly wal: number; readonly identity: number }>(
    `select (pg_current_wal_insert_lsn() - '0/0')::float8 as wal, case when is_called then last_value else 0 end::float8 as identity
      from ${fact}_id_seq`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the table has no identity");
  return row;
}

function megabytes(name: string, value: number, goal?: number): Figure {
  return { name, value: Math.max(0, value), unit: "MB", better: "lower", goal };
}
function values(name: string, value: number): Figure {
  return { name, value, unit: "values", better: "lower" };
}
function perSecond(name: string, rows: number, seconds: readonly number[]): Figure {
  return { name: `${name}.rowsPerSecond`, value: rows / median(seconds), unit: "1/s", better: "higher" };
}
