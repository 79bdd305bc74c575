import type { Connection } from "./driver.ts";
import { deleteWork, isOver } from "./entry.ts";
import { rowsOf, type WorkRow } from "./records.ts";

/** For each work that a sweep may delete, so many are looked at in passing: it holds the writer's lock. */
const lookedAtForEach = 20;

/** A work's place in the index by operation and beginning. */
interface Place {
  readonly operation: string;
  readonly created_at: number;
  readonly place: number;
}
const start: Place = { operation: "", created_at: 0, place: 0 };

/**
 * No index is by keep: it would be one more page that each commit has to write. Works of one operation are mostly kept
 * equally long, so those past their keep are its oldest: these first. What stands behind works that are kept longer is
 * found in passing, from where the sweep before came to, whichever process's it was.
 */
export function sweepWork(connection: Connection, now: number, limit: number): number {
  let deleted = 0;
  const sweep = (from: Place, lookedAt: number): Place => {
    const past = pastKeep(connection, now, from, lookedAt, limit - deleted);
    const last = deleted + past.length === limit ? past.at(-1) : placeBehind(connection, from, lookedAt);
    for (const { name, id } of past) deleteWork(connection, name, id);
    deleted += past.length;
    return last ?? start;
  };
  for (const operation of operations(connection)) {
    sweep({ ...start, operation }, limit);
    if (deleted === limit) return deleted;
  }
  keepPlace(connection, sweep(keptPlace(connection), limit * lookedAtForEach));
  return deleted;
}

/** Each by a jump in the index. */
function operations(connection: Connection): readonly string[] {
  const rows = connection.all(
    `with recursive operations (operation) as (
       select min(operation) from reprise_work where operation is not null
       union all
       select (select min(w.operation) from reprise_work w where w.operation > o.operation and w.operation is not null)
       from operations o where o.operation is not null)
     select operation from operations where operation is not null`,
    [],
  );
  return rows.map((row) => String(row["operation"]));
}

const placesBehind = `select operation, created_at, rowid as place from reprise_work
  where operation is not null and (operation, created_at, rowid) > (?, ?, ?) order by operation, created_at, rowid`;

/** Those past their keep among so many behind a place. */
function pastKeep(connection: Connection, now: number, from: Place, lookedAt: number, limit: number) {
  return rowsOf<Place & Pick<WorkRow, "name" | "id">>(
    connection.all(
      `select p.operation, p.created_at, p.place, w.name, w.id from (${placesBehind} limit ?) p
       cross join reprise_work w on w.rowid = p.place where ${isOver("w")} limit ?`,
      [from.operation, from.created_at, from.place, lookedAt, now, limit],
    ),
  );
}

/** The place of the last of so many behind a place. `undefined`: there are fewer. */
function placeBehind(connection: Connection, from: Place, lookedAt: number): Place | undefined {
  const params = [from.operation, from.created_at, from.place, lookedAt - 1];
  return rowsOf<Place>(connection.all(`${placesBehind} limit 1 offset ?`, params))[0];
}

function keptPlace(connection: Connection): Place {
  const row = connection.get("select value from reprise_meta where name = 'sweep'", []);
  return row === undefined ? start : (JSON.parse(String(row["value"])) as Place);
}

function keepPlace(connection: Connection, { operation, created_at, place }: Place): void {
  connection.run(
    `insert into reprise_meta (name, value) values ('sweep', ?)
     on conflict do update set value = excluded.value where value <> excluded.value`,
    [JSON.stringify({ operation, created_at, place })],
  );
}
