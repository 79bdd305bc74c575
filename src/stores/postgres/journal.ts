import type { Journal } from "../../contract/journal.ts";
import { numberOf, textOf } from "./rows.ts";
import type { PostgresServer } from "./server.ts";

const append = `insert into @journal (resolution, at, instance, body) values ($1, $2::float8, $3, $4) on conflict do nothing`;
const read = `select instance, at, body from @journal where resolution = $1 and at >= $2::float8 order by at, instance`;
const forget = `delete from @journal where resolution = $1 and at < $2::float8`;

export function postgresJournal(server: PostgresServer): Journal {
  return {
    append: async ({ resolution, at, instance, body }) => {
      await server.once("journal", append, resolution, at, instance, body);
    },
    read: async (resolution, since) =>
      (await server.once("journal", read, resolution, since)).rows.map((row) => ({
        resolution,
        instance: textOf(row["instance"]),
        at: numberOf(row["at"]),
        body: textOf(row["body"]),
      })),
    forget: async (resolution, before) => {
      await server.once("journal", forget, resolution, before);
    },
  };
}
