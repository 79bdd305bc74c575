// The cache that the processes share, over a source in another SQLite file.
import { createReprise } from "reprise";
import { sqliteLedger } from "reprise/sqlite";

/** The source: what it holds, what has taken effect, and all that it received, in order. */
export async function openSource(path) {
  const file = sqliteLedger({ path, busy: "20s" });
  await file.transaction(async (tx) => {
    await tx.query(
      "create table if not exists held (id integer primary key, n integer not null, version integer not null)",
    );
    await tx.query(
      "create table if not exists effect (place integer primary key, id integer not null, n integer not null)",
    );
    await tx.query(
      "create table if not exists received (place integer primary key, id integer not null, n integer not null, version integer not null)",
    );
  });
  return file;
}

export function declareViews({ ledgerPath, source, beforeCommit = () => {}, afterCommit = () => {} }) {
  const reprise = createReprise({
    service: "crash",
    undecided: "listed",
    ledger: sqliteLedger({ path: ledgerPath, busy: "20s" }),
  });
  const views = reprise.cache.writeBehind({
    name: "views",
    scope: ["id"],
    freshFor: "1h",
    ifLost: "never",
    load: ({ id }) =>
      source.transaction(async (tx) => {
        const [row] = await tx.query("select n from held where id = ?", [id]);
        return { n: row?.n ?? -1 };
      }),
    writeMany: async (writes) => {
      await source.transaction(async (tx) => {
        for (const { scope, value, version } of writes) {
          const row = [scope.id, value.n, version];
          await tx.query("insert into received (id, n, version) values (?, ?, ?)", row);
          // the guard: a version that is not newer changes nothing
          const taken = await tx.query(
            `insert into held (id, n, version) values (?, ?, ?) on conflict (id) do update
             set n = excluded.n, version = excluded.version where excluded.version > held.version returning n`,
            row,
          );
          if (taken.length > 0) await tx.query("insert into effect (id, n) values (?, ?)", [scope.id, value.n]);
        }
        beforeCommit();
      });
      afterCommit();
    },
  });
  return { reprise, views };
}
