import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReprise } from "reprise";
import { sqliteLedger } from "reprise/sqlite";
import type { Figure } from "../figure.ts";
import { ratio } from "../operations/standing.ts";
import { interleave, median, ratios } from "../rounds.ts";
import type { JobPart } from "./parts.ts";

/** Rows of SQLite's beside a guarded upsert in one statement: loaded first, then once more. */
export const loadSqlite: JobPart = async ({ quick }) => ({
  figures: await measure(quick ? 50_000 : 200_000, quick ? 1 : 5),
});

/** Seconds. */
interface Turns {
  readonly first: number;
  readonly rerun: number;
}

const types =
  "txn_ref text not null, txn_date text not null, source_version integer not null, amount real, customer integer, status text, note text";
const columns = ["txn_ref", "txn_date", "source_version", "amount", "customer", "status", "note"];

async function measure(rows: number, rounds: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "reprise-bench-"));
  const path = join(folder, "bench.db");
  const ledger = sqliteLedger({ path, busy: "60s" });
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger });
  const query = (text: string) => ledger.transaction((tx) => tx.query(text));
  try {
    await reprise.start();
    await query(`create table transactions (${types}, primary key (txn_ref, txn_date))`);
    await query(`with recursive seq (n) as (select 1 union all select n + 1 from seq where n < ${rows})
      insert into transactions select printf('txn-%09d', (n * 7919) % 100000007), date('2026-01-01', (n % 180) || ' days'), 1,
        n % 100000 / 100.0, n % 5000, case n % 3 when 0 then 'paid' when 1 then 'open' else 'void' end,
        'note of transaction ' || n from seq`);
    const load = (fact: string) => {
      const made = reprise.load({
        ...{ name: fact, from: "transactions", into: fact, identity: ["txn_ref", "txn_date"], newer: "source_version" },
        ...{ ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep" },
        windows: { rows: 50_000 },
      });
      return async () => {
        const result = await made.run();
        if (result.status !== "done" || result.read !== rows) throw new Error(`the load is ${JSON.stringify(result)}`);
      };
    };
    const byHand = (fact: string) => () => query(handWritten(fact));
    let tables = 0;
    const measured = async (once: () => Promise<unknown>): Promise<number> => {
      const began = performance.now();
      await once();
      return (performance.now() - began) / 1_000;
    };
    const twice = async (make: (fact: string) => () => Promise<unknown>): Promise<Turns> => {
      tables += 1;
      const fact = `fact_${tables}`;
      await query(`create table ${fact} (id integer primary key, ${types}, unique (txn_ref, txn_date))`);
      const once = make(fact);
      const turns = { first: await measured(once), rerun: await measured(once) };
      await query(`drop table ${fact}`);
      return turns;
    };
    const turns = await interleave<Turns>(
      [
        { name: "handWritten", run: () => twice(byHand) },
        { name: "windows", run: () => twice(load) },
      ],
      rounds,
    );
    return figuresOf(turns, rows);
  } finally {
    await reprise.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function figuresOf(turns: ReadonlyMap<string, readonly Turns[]>, rows: number): readonly Figure[] {
  const seconds = (name: string, turn: keyof Turns) => (turns.get(name) ?? []).map((took) => took[turn]);
  const ofHandWritten = (turn: keyof Turns) => median(ratios(seconds("handWritten", turn), seconds("windows", turn)));
  const perSecond = (name: string, turn: keyof Turns): Figure => ({
    name: `load.sqlite.${name}.rowsPerSecond`,
    value: rows / median(seconds("windows", turn)),
    ...{ unit: "1/s", better: "higher" },
  });
  return [
    ratio("load.sqlite.first.ofHandWritten", ofHandWritten("first")),
    ratio("load.sqlite.rerun.ofHandWritten", ofHandWritten("rerun")),
    perSecond("first", "first"),
    perSecond("rerun", "rerun"),
  ];
}

function handWritten(fact: string): string {
  const set = columns.slice(2).map((column) => `${column} = excluded.${column}`);
  return `insert into ${fact} (${columns.join(", ")}) select ${columns.join(", ")} from transactions where true
    on conflict (txn_ref, txn_date) do update set ${set.join(", ")} where ${fact}.source_version < excluded.source_version`;
}
