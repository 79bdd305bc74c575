import { createReprise } from "reprise";
import { postgresLedger } from "reprise/postgres";
import type { Figure } from "../figure.ts";
import { askPostgres, openPostgresPlace } from "../operations/postgres-place.ts";
import { whereIs } from "../operations/standing.ts";
import type { JobPart } from "./parts.ts";
import { isWhole } from "./whole.ts";

/** Rows of older versions come once more, over newer ones: none may change, and without a guard all do. */
export const loadStale: JobPart = ({ quick }) =>
  whereIs("PostgreSQL", askPostgres, () => measure(quick ? 10_000 : 100_000));

const types = "ref text not null, day date not null, version int not null, amount numeric(12, 2), note text";

async function measure(rows: number): Promise<readonly Figure[]> {
  const place = await openPostgresPlace();
  const pool = place.pool();
  const { schema } = place;
  const [stale, newer, guarded, byHand] = ["stale", "newer", "guarded", "by_hand"].map((name) => `${schema}.${name}`);
  const ledger = postgresLedger({ pool, schema });
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger });
  try {
    const filled = `select 'ref-' || n * 7919 % 1000003, date '2026-01-01' + n % 180`;
    for (const table of [stale, newer, guarded, byHand]) {
      await pool.query(`create table ${table} (${types}, primary key (ref, day))`);
    }
    await pool.query(`insert into ${stale} ${filled}, 1 + n % 3, n, 'old ' || n from generate_series(1, ${rows}) n`);
    await pool.query(
      `insert into ${newer} ${filled}, 4 + n % 3, n + 1, 'new ' || n from generate_series(1, ${rows}) n`,
    );
    for (const fact of [guarded, byHand]) await pool.query(`insert into ${fact} select * from ${newer}`);
    await pool.query(`vacuum analyze ${stale}, ${guarded}, ${byHand}`);

    await reprise.start();
    const load = reprise.load({
      ...{ name: "stale", from: `${stale}`, into: `${guarded}`, identity: ["ref", "day"], newer: "version" },
      ...{ ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep" },
      windows: { rows: Math.floor(rows / 4) },
    });
    isWhole(await load.run(), rows);
    await pool.query(`insert into ${byHand} select * from ${stale} on conflict (ref, day)
      do update set version = excluded.version, amount = excluded.amount, note = excluded.note`);

    // counted beside the library: whatever is not as it was, rows that went or came included
    const overwritten = async (name: string, fact: string | undefined): Promise<Figure> => {
      const { rows } = await pool.query<{ readonly count: number }>(
        `select count(*)::int as count from ${fact} is_now full join ${newer} was using (ref, day)
          where (is_now.version, is_now.amount, is_now.note) is distinct from (was.version, was.amount, was.note)`,
      );
      const [row] = rows;
      if (row === undefined) throw new Error("nothing was counted");
      return { name, value: row.count, unit: "rows", better: "lower" };
    };
    return [
      { ...(await overwritten("load.stale.overwritten", guarded)), goal: 0 },
      await overwritten("load.stale.handWritten.overwritten", byHand),
    ];
  } finally {
    await reprise.close();
    await place.drop();
  }
}
