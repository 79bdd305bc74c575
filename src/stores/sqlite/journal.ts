import type { Journal, JournalEntry } from "../../contract/journal.ts";
import type { SqliteFile } from "./file.ts";
import { rowsOf } from "./records.ts";

export function sqliteJournal(file: SqliteFile): Journal {
  return {
    append: (entry) =>
      file.write("journal", (connection) => {
        connection.run(
          "insert into reprise_journal (resolution, at, instance, body) values (?, ?, ?, ?) on conflict do nothing",
          [entry.resolution, entry.at, entry.instance, entry.body],
        );
      }),
    read: (resolution, since) =>
      file.read("journal", (connection) =>
        rowsOf<JournalEntry>(
          connection.all("select * from reprise_journal where resolution = ? and at >= ? order by at, instance", [
            resolution,
            since,
          ]),
        ).map((row) => ({ resolution, instance: row.instance, at: row.at, body: row.body })),
      ),
    forget: (resolution, before) =>
      file.write("journal", (connection) => {
        connection.run("delete from reprise_journal where resolution = ? and at < ?", [resolution, before]);
      }),
  };
}
