import { type Database, openDatabase, type Row, type Value } from "../../database/driver.ts";
import { bookingColumns } from "../../database/staging.ts";
import type { KillSwitch } from "../kill-switch.ts";
import type { Point } from "./points.ts";
import type { Range } from "./story.ts";

export interface Written {
  readonly inserted: number;
  readonly updated: number;
}

/** To a database server and back, in the next building. */
const roundTripMs = 3;

const content = bookingColumns.filter((column) => column !== "user" && column !== "reference");
const look = `select id, ${content.join(", ")} from fact_bookings where user = ? and reference = ?`;
const insert = `insert into fact_bookings (${bookingColumns.join(", ")}) values (${bookingColumns.map(() => "?").join(", ")})`;
const update = `update fact_bookings set ${content.map((column) => `${column} = ?`).join(", ")} where id = ?`;

/**
 * The usual job, as most write it: row by row, in the order of arrival, it looks whether the row is there, inserts it if
 * not, else updates it where it differs. Each statement is a transaction of its own.
 */
export async function checkThenInsert(
  path: string,
  { from, to }: Range,
  kill: KillSwitch<Point>,
  begun: () => void,
): Promise<Written> {
  const database = openDatabase(path);
  let [inserted, updated] = [0, 0];
  const staged = database
    .prepare(
      `select ${bookingColumns.join(", ")} from staged_bookings where changed_on >= ? and changed_on < ? order by arrival`,
    )
    .all(from, to);
  for (const row of staged) {
    const [known] = await ask(database, look, [cell(row, "user"), cell(row, "reference")]);
    begun();
    kill.at("check: a row was looked up, nothing written");
    if (known === undefined) {
      await ask(
        database,
        insert,
        bookingColumns.map((column) => cell(row, column)),
      );
      inserted += 1;
    } else if (content.some((column) => known[column] !== row[column])) {
      await ask(database, update, [...content.map((column) => cell(row, column)), cell(known, "id")]);
      updated += 1;
    }
    kill.at("write: one row done, the next not looked up");
  }
  database.close();
  return { inserted, updated };
}

async function ask(database: Database, sql: string, values: readonly Value[]): Promise<readonly Row[]> {
  const rows = database.prepare(sql).all(...values);
  await new Promise((resolve) => setTimeout(resolve, roundTripMs));
  return rows;
}

const cell = (row: Row, column: string): Value => row[column] ?? null;
