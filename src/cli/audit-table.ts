import type pg from "pg";
import { createPairing, type Found } from "../admin/pairing.ts";
import { defaults } from "../base/defaults.ts";

/** What is asked of a table of the user's. */
export interface TableQuestion {
  /** As SQL names it: `bookings`, `sales.bookings`. */
  readonly table: string;
  /** The columns that two rows with one intent agree in. */
  readonly same: readonly string[];
  /** When a row was written. */
  readonly at: string;
  /** What tells rows apart; `undefined`: the primary key. */
  readonly key: readonly string[] | undefined;
  readonly withinMs: number;
  /** Whether pairs are told by what tells rows apart: that is the only value that is ever read. */
  readonly showKeys: boolean;
  readonly deadlineMs: number;
}

export interface TableAnswer {
  /** With its schema. */
  readonly table: string;
  /** Empty: each row is one of its own. */
  readonly key: readonly string[];
  readonly rows: number;
  readonly found: Found;
}

interface Table {
  readonly oid: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly primaryKey: readonly string[];
}

const instantTypes = ["timestamp with time zone", "timestamp without time zone", "date"];

/**
 * Reads the table once, in one read-only transaction, in the order of `at`. Of the columns that must agree the server tells a
 * hash. A string says why there is no answer; it holds nothing of the table and nothing of the address.
 */
export async function auditTable(
  address: string,
  question: TableQuestion,
  tell: (rows: number) => void,
): Promise<TableAnswer | string> {
  const driver = await import("pg").catch(() => undefined);
  if (driver === undefined) {
    return "It needs the driver 'pg', which is not installed beside reprise: npm install --save-dev pg";
  }
  const until = performance.now() + question.deadlineMs;
  let client: pg.Client;
  try {
    client = new driver.default.Client({
      connectionString: address,
      connectionTimeoutMillis: Math.min(question.deadlineMs, defaults.openMs),
      application_name: "reprise audit",
      // a server that is gone without a word; its own deadline comes first
      query_timeout: question.deadlineMs + defaults.abortMs,
    });
  } catch {
    return "The address is none of PostgreSQL. It reads postgres://user@host:5432/database.";
  }
  // an error beside a query fails the next one
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("begin read only");
    await bound(client, until);
    const table = await findTable(client, question.table);
    if (table === undefined) return `There is no table '${question.table}' that this role sees.`;
    const chosen = chooseColumns(table, question);
    return typeof chosen === "string" ? chosen : await read(client, table, chosen, question, until, tell);
  } catch (error) {
    return reasonOf(error, question);
  } finally {
    await client.end().catch(() => {});
  }
}

/** It must hold up nobody: it waits for no lock, and ends by itself however it was begun. */
async function bound(client: pg.Client, until: number): Promise<void> {
  const leftMs = Math.max(1, Math.ceil(until - performance.now()));
  await client.query(
    `set local statement_timeout = ${leftMs}; set local lock_timeout = 1000;
     set local idle_in_transaction_session_timeout = 60000; set local jit = off; set local cursor_tuple_fraction = 1`,
  );
}

async function findTable(client: pg.Client, name: string): Promise<Table | undefined> {
  const found = await client.query<{ readonly oid: string; readonly name: string }>(
    `select c.oid::text, format('%I.%I', n.nspname, c.relname) as name from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    [name],
  );
  const [table] = found.rows;
  if (table === undefined) return undefined;
  const { rows: columns } = await client.query<Table["columns"][number]>(
    `select attname as name, format_type(atttypid, null) as type from pg_attribute
     where attrelid = $1::oid and attnum > 0 and not attisdropped order by attnum`,
    [table.oid],
  );
  const { rows: keys } = await client.query<{ readonly name: string }>(
    `select a.attname as name from pg_index i cross join unnest(i.indkey::int2[]) with ordinality k(attnum, place)
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
     where i.indrelid = $1::oid and i.indisprimary and k.place <= i.indnkeyatts order by k.place`,
    [table.oid],
  );
  return { ...table, columns, primaryKey: keys.map((key) => key.name) };
}

interface Chosen {
  readonly same: readonly string[];
  readonly at: string;
  readonly key: readonly string[];
}

function chooseColumns({ name, columns, primaryKey }: Table, { same, at, key }: TableQuestion): Chosen | string {
  const types = new Map(columns.map((column) => [column.name, column.type]));
  const unknown = [...same, ...(key ?? [])].find((column) => !types.has(column));
  if (unknown !== undefined) return `${name} has no column '${unknown}'.`;
  const type = types.get(at);
  if (type === undefined || !instantTypes.includes(type)) {
    const instants = columns.filter((column) => instantTypes.includes(column.type)).map((column) => column.name);
    const why = type === undefined ? `has no column '${at}'` : `tells no instant in '${at}'`;
    const there =
      instants.length === 0 ? "It has no column that does." : `Say which with --at: ${instants.join(", ")}.`;
    return `${name} ${why}, so nobody knows which rows are near each other. ${there}`;
  }
  const tellsApart = key ?? primaryKey;
  if (tellsApart.every((column) => same.includes(column)) && tellsApart.length > 0) {
    return `No two rows of ${name} agree in ${same.join(", ")}: ${tellsApart.join(", ")} tells them apart.`;
  }
  return { same, at, key: tellsApart };
}

interface Row {
  readonly at: number;
  readonly same: string;
  readonly key: string | null;
}

async function read(
  client: pg.Client,
  table: Table,
  chosen: Chosen,
  { withinMs, showKeys }: TableQuestion,
  until: number,
  tell: (rows: number) => void,
): Promise<TableAnswer> {
  await client.query(`declare reprise_audit no scroll cursor for ${statement(table, chosen, showKeys)}`);
  const pairing = createPairing(withinMs, defaults.audit.listed);
  for (let rows = 0; ; ) {
    await bound(client, until);
    const page = await client.query<Row>(`fetch forward ${defaults.audit.page} from reprise_audit`);
    for (const { at, same, key } of page.rows) {
      rows += 1;
      pairing.add({ at, same, key: key ?? `row ${rows}` });
    }
    tell(rows);
    if (page.rows.length < defaults.audit.page) {
      return { table: table.name, key: chosen.key, rows, found: pairing.found() };
    }
  }
}

/** A row with a null in one of the columns has no intent that could be compared: so a unique constraint sees it too. */
function statement({ name }: Table, { same, at, key }: Chosen, showKeys: boolean): string {
  const columns = (names: readonly string[]) => names.map(quoted).join(", ");
  const hash = (names: readonly string[]) =>
    `left(encode(sha256(convert_to(row(${columns(names)})::text, 'UTF8')), 'hex'), 32)`;
  const [only, ...more] = key;
  const shown = more.length === 0 && only !== undefined ? `${quoted(only)}::text` : `row(${columns(key)})::text`;
  const told = only === undefined ? "null" : showKeys ? shown : hash(key);
  return `select floor(extract(epoch from ${quoted(at)}) * 1000)::float8 as at, ${hash(same)} as same, ${told} as key
    from ${name} where isfinite(${quoted(at)}) and ${same.map((one) => `${quoted(one)} is not null`).join(" and ")}
    order by ${columns([at, ...key])}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** By code alone: what a server says may quote a row. */
function reasonOf(error: unknown, { table, same, at, key, deadlineMs }: TableQuestion): string {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  switch (code) {
    case "42501": {
      const columns = [...new Set([...same, at, ...(key ?? ["the primary key"])])].join(", ");
      return `This role may not read what it has to: grant select (${columns}) on ${table}, and usage on its schema.`;
    }
    case "57014":
      return `The table was not read to its end in ${deadlineMs / 1_000} s, so there is no answer. Give it longer with --deadline, or an index on '${at}'.`;
    case "55P03":
      return `Somebody holds '${table}' locked. Nothing was read.`;
    case "42602":
    case "42601":
      return `'${table}' is no name of a table. Write it as SQL does.`;
    case "42883":
      return "Rows of this table cannot be put in order by what tells them apart. Name other columns with --key.";
    default:
      return `The server cannot be asked (${code ?? "no answer"}). See whether the address is right and the server answers.`;
  }
}
