import type { Clock } from "../../base/clock.ts";
import type { Register, Registers } from "../../contract/registers.ts";
import { firstVersion } from "../first-version.ts";
import { endOfPrefix } from "../prefix.ts";
import type { Connection } from "./driver.ts";
import type { SqliteFile } from "./file.ts";
import { rowsOf } from "./records.ts";
import type { SqliteTransaction, Transactions } from "./transaction.ts";

const columns = "name, value, version, at";

/** SQLite compares text by its bytes. */
export function sqliteRegisters(
  file: SqliteFile,
  clock: Clock,
  transactions: Transactions,
): Registers<SqliteTransaction> {
  return {
    read: (name) =>
      file.read("read register", (connection) => {
        const found = connection.all(`select ${columns} from reprise_register where name = ?`, [name]);
        return registersOf(found)[0] ?? null;
      }),
    replace: (name, value, version) =>
      file.write("replace register", (connection, now) => replace(connection, now, name, value, version)),
    remove: (name, version) =>
      file.write("remove register", (connection) => {
        const removed = connection.run("delete from reprise_register where name = ? and version = ?", [name, version]);
        return removed === 1;
      }),
    list: ({ prefix, after, limit }) =>
      file.read("list registers", (connection) => {
        const text = `select ${columns} from reprise_register where name >= ? and name < ? and (? is null or name > ?)
          order by name limit ?`;
        return registersOf(connection.all(text, [prefix, endOfPrefix(prefix), after, after, limit]));
      }),
    sweep: (prefix, keptMs, limit) =>
      file.write("sweep registers", (connection, now) =>
        connection.run(
          `delete from reprise_register where name in (select name from reprise_register
             where name >= ? and name < ? and at <= ? limit ?)`,
          [prefix, endOfPrefix(prefix), now - keptMs, limit],
        ),
      ),
    replaceIn: (tx, name, value, version) =>
      transactions.nest(tx, async ({ connection }) =>
        file.step("replace register", () => replace(connection, clock.now(), name, value, version)),
      ),
  };
}

function replace(
  connection: Connection,
  now: number,
  name: string,
  value: string,
  version: number | null,
): number | null {
  const next = version === null ? firstVersion() : version + 1;
  const changed =
    version === null
      ? connection.run(
          "insert into reprise_register (name, value, version, at) values (?, ?, ?, ?) on conflict do nothing",
          [name, value, next, now],
        )
      : connection.run("update reprise_register set value = ?, version = ?, at = ? where name = ? and version = ?", [
          value,
          next,
          now,
          name,
          version,
        ]);
  return changed === 1 ? next : null;
}

function registersOf(rows: ReturnType<Connection["all"]>): readonly Register[] {
  return rowsOf<Register>(rows).map(({ name, value, version, at }) => ({ name, value, version, at }));
}
