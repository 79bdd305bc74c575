import { counterOf, numbered } from "../../contract/appended.ts";
import type { Register, Registers, RegistersQuery } from "../../contract/registers.ts";
import { firstVersion } from "../first-version.ts";
import type { Database } from "./database.ts";
import { type Connection, isDuplicate, type Own } from "./driver.ts";
import { bounded } from "./limits.ts";
import { bytes, clock, instant, micros, type Row, textOf } from "./records.ts";
import type { Transactional } from "./transaction.ts";

export function mysqlRegisters<Tx>(
  database: Database,
  { sql, together }: Pick<Transactional<Tx>, "sql" | "together">,
): Registers<Tx> {
  return {
    read: async (name) => {
      const { rows } = await database.one("read register", `select ${columns} from reprise_register where name = ?`, [
        nameOf(name),
      ]);
      return rows.map(registerOf)[0] ?? null;
    },
    replace: (name, value, version) =>
      replacing(name, value, version, (text, params) => database.one("replace register", text, params)),
    remove: async (name, version) => {
      const text = "delete from reprise_register where name = ? and version = ?";
      return (await database.one("remove register", text, [nameOf(name), version])).count === 1;
    },
    list: async (query) => {
      const { text, params } = rangeOf(query);
      const { rows } = await database.one(
        "list registers",
        `select ${columns} from reprise_register where ${text} order by name limit ?`,
        [...params, query.limit],
      );
      return rows.map(registerOf);
    },
    sweep: (prefix, keptMs, limit) =>
      database.write("sweep registers", (connection) => sweep(connection, prefix, keptMs, limit)),
    replaceIn: (tx, name, value, version) =>
      replacing(name, value, version, (text, params) => database.step("replace register", sql.query(tx, text, params))),
    removeThrough: async (prefix, name) => {
      const text = "delete from reprise_register where name >= ? and name <= ?";
      await database.one("remove registers", text, [bytes(prefix), nameOf(name)]);
    },
    appendIn: (tx, prefix, value) =>
      together(tx, async (query) => {
        const run = (text: string, params: readonly Own[]) => database.step("append register", query(text, params));
        const counter = nameOf(counterOf(prefix));
        // its row stays locked until the transaction ends: a number alone is drawn before commits have an order
        await run(count, [counter]);
        const { rows } = await run("select value from reprise_register where name = ? for update", [counter]);
        const name = numbered(prefix, Number(textOf(rows[0]?.["value"])));
        await run(create, [nameOf(name), bytes(value), firstVersion()]);
      }),
  };
}

const longestName = 1_020;
const nameOf = (name: string): Uint8Array => bounded(name, longestName, "register");

const columns = "name, value, version, at";
const create = `insert into reprise_register (name, value, version, at) values (?, ?, ?, ${clock})`;
const count = `insert into reprise_register (name, value, version, at) values (?, '1', 1, ${clock})
  on duplicate key update value = cast(value as unsigned) + 1, version = version + 1, at = ${clock}`;

function registerOf(row: Row): Register {
  return {
    name: textOf(row["name"]),
    value: textOf(row["value"]),
    version: Number(row["version"]),
    at: instant(row["at"]),
  };
}

/** One statement, which a failure undoes alone: whoever's transaction it runs in goes on. */
async function replacing(
  name: string,
  value: string,
  version: number | null,
  run: (text: string, params: readonly Own[]) => Promise<{ readonly count: number }>,
): Promise<number | null> {
  if (version !== null) {
    const { count } = await run(
      `update reprise_register set value = ?, version = version + 1, at = ${clock} where name = ? and version = ?`,
      [bytes(value), nameOf(name), version],
    );
    return count === 1 ? version + 1 : null;
  }
  const first = firstVersion();
  try {
    await run(create, [nameOf(name), bytes(value), first]);
    return first;
  } catch (error) {
    if (isDuplicate(error)) return null;
    throw error;
  }
}

/** By the bounds of the key, so that only what begins with the prefix is read. No byte of UTF-8 is the last one there is. */
function rangeOf({ prefix, after }: Pick<RegistersQuery, "prefix" | "after">): {
  readonly text: string;
  readonly params: readonly Uint8Array[];
} {
  const first = bytes(prefix);
  const last = Buffer.concat([first, Buffer.of(0xff)]);
  const between = { text: "name >= ? and name < ?", params: [first, last] };
  if (after === null) return between;
  return { text: `${between.text} and name > ?`, params: [...between.params, bytes(after)] };
}

/** Those that somebody is writing are passed over: they are not old any more. */
async function sweep(connection: Connection, prefix: string, keptMs: number, limit: number): Promise<number> {
  const { text, params } = rangeOf({ prefix, after: null });
  const { rows } = await connection.query(
    `select name from reprise_register where ${text} and at <= ${clock} - ? limit ? for update skip locked`,
    [...params, micros(keptMs), limit],
  );
  if (rows.length === 0) return 0;
  const { count } = await connection.query(
    `delete from reprise_register where name in (${rows.map(() => "?").join(", ")})`,
    rows.map((row) => row["name"] as Uint8Array),
  );
  return count;
}
