import type { Journal } from "../../contract/journal.ts";
import type { Database } from "./database.ts";
import { bounded } from "./limits.ts";
import { bytes, textOf } from "./records.ts";

export function mysqlJournal(database: Database): Journal {
  return {
    append: async (entry) => {
      await database.one(
        "journal",
        `insert into reprise_journal (resolution, at, instance, body) values (?, ?, ?, ?)
         on duplicate key update resolution = resolution`,
        [bytes(entry.resolution), entry.at, bounded(entry.instance, 255, "instance"), bytes(entry.body)],
      );
    },
    read: async (resolution, since) => {
      const { rows } = await database.one(
        "journal",
        `select at, instance, body from reprise_journal where resolution = ? and at >= ? order by at, instance`,
        [bytes(resolution), since],
      );
      return rows.map((row) => ({
        resolution,
        at: Number(row["at"]),
        instance: textOf(row["instance"]),
        body: textOf(row["body"]),
      }));
    },
    forget: async (resolution, before) => {
      await database.one("journal", "delete from reprise_journal where resolution = ? and at < ?", [
        bytes(resolution),
        before,
      ]);
    },
  };
}
