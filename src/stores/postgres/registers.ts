import type { Register, Registers } from "../../contract/registers.ts";
import { firstVersion } from "../first-version.ts";
import { endOfPrefix } from "../prefix.ts";
import type { OwnRow } from "./driver.ts";
import { epochMs, interval, numberOf, textOf } from "./rows.ts";
import { type PostgresServer, type Step, step } from "./server.ts";
import type { Transactor } from "./transaction.ts";

const columns = `name, value, version, ${epochMs("at")} as at`;
const read = `select ${columns} from @register where name = $1`;
const create = `insert into @register (name, value, version, at) values ($1, $2, $3::bigint, clock_timestamp())
  on conflict do nothing returning version`;
const change = `update @register set value = $2, version = version + 1, at = clock_timestamp()
  where name = $1 and version = $3::bigint returning version`;
const remove = `delete from @register where name = $1 and version = $2::bigint`;
const list = `select ${columns} from @register where name >= $1 and name < $2 and ($3::text is null or name > $3)
  order by name limit $4::int`;
const sweep = `delete from @register where name in (select name from @register
  where name >= $1 and name < $2 and at <= clock_timestamp() - ${interval("$3")} limit $4::int for update skip locked)`;

export function postgresRegisters<Tx>(server: PostgresServer, transactor: Transactor<Tx>): Registers<Tx> {
  return {
    read: async (name) => {
      const [row] = (await server.once("read register", read, name)).rows;
      return row === undefined ? null : registerOf(row);
    },
    replace: async (name, value, version) => {
      const { text, params } = replacing(name, value, version);
      return versionOf((await server.once("replace register", text, ...params)).rows[0]);
    },
    remove: async (name, version) => (await server.once("remove register", remove, name, version)).count === 1,
    list: async ({ prefix, after, limit }) =>
      (await server.once("list registers", list, prefix, endOfPrefix(prefix), after, limit)).rows.map(registerOf),
    sweep: async (prefix, keptMs, limit) =>
      (await server.once("sweep registers", sweep, prefix, endOfPrefix(prefix), keptMs, limit)).count,
    replaceIn: (tx, name, value, version) =>
      transactor.nest(tx, [replacing(name, value, version)], async (_, [replaced]) => {
        const next = versionOf(replaced?.rows[0]);
        return { is: "commit", steps: [], value: () => next };
      }),
  };
}

function replacing(name: string, value: string, version: number | null): Step {
  return version === null ? step(create, name, value, firstVersion()) : step(change, name, value, version);
}

function versionOf(row: OwnRow | undefined): number | null {
  return row === undefined ? null : numberOf(row["version"]);
}

function registerOf(row: OwnRow): Register {
  return {
    name: textOf(row["name"]),
    value: textOf(row["value"]),
    version: numberOf(row["version"]),
    at: numberOf(row["at"]),
  };
}
