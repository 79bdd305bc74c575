import { RepriseError } from "../../base/errors.ts";

/** What a query takes. A boolean is kept as 1 or 0, a whole number as an integer. */
export type SqliteParameter = null | string | number | bigint | boolean | Uint8Array;
/** What a column holds. A whole number that a JavaScript number cannot hold exactly is a bigint. */
export type SqliteValue = null | string | number | bigint | Uint8Array;
export type Row = { readonly [column: string]: SqliteValue };

/** One connection, as little of it as the ledger needs. Everything is synchronous. */
export interface Connection {
  /** Statements without parameters or rows. */
  readonly exec: (sql: string) => void;
  /** A statement of ours: its text is constant, its values are strings, safe integers and null. Returns the rows. */
  readonly all: (sql: string, params: readonly Own[]) => readonly OwnRow[];
  /** A look of ours for one row: where there is none, a driver answers sooner than with a list. */
  readonly get: (sql: string, params: readonly Own[]) => OwnRow | undefined;
  /** A statement of ours; returns how many rows it changed. */
  readonly run: (sql: string, params: readonly Own[]) => number;
  /** A statement of the user's. */
  readonly query: (sql: string, params: readonly SqliteParameter[]) => readonly Row[];
  /** False once SQLite or a statement has ended the open transaction by itself, or the connection is closed. */
  readonly inTransaction: () => boolean;
  readonly close: () => void;
}

export type Own = string | number | null;
export type OwnRow = { readonly [column: string]: unknown };

/** SQLite's own number for an error: the primary result code in the low byte. 0: no error of SQLite's. */
export function resultCode(error: unknown): number {
  if (typeof error !== "object" || error === null) return 0;
  // node:sqlite calls it errcode, libsql rawCode
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode;
  if ("rawCode" in error && typeof error.rawCode === "number") return error.rawCode;
  return 0;
}

const busy = 5;
/** Many processes opened the write-ahead log at the same instant: it settles by itself. */
const protocol = 15;
const busySnapshot = 517;
export function isBusy(error: unknown): boolean {
  const primary = resultCode(error) & 0xff;
  return primary === busy || primary === protocol;
}
export function isBusySnapshot(error: unknown): boolean {
  return resultCode(error) === busySnapshot;
}

const permanent: Readonly<Record<number, string>> = {
  8: "it, or its directory, is read-only",
  11: "it is damaged",
  14: "it cannot be opened: its directory must exist, and this process must be allowed to write there",
  26: "it is no SQLite database",
};
/** What is wrong with the file, where that does not pass by itself. */
export function permanentFault(error: unknown): string | undefined {
  return permanent[resultCode(error) & 0xff];
}

interface Statement {
  readonly get: (params: readonly unknown[]) => OwnRow | undefined;
  readonly all: (params: readonly unknown[]) => readonly OwnRow[];
  readonly run: (params: readonly unknown[]) => number;
}
interface Database {
  readonly exec: (sql: string) => void;
  readonly prepare: (sql: string, bigints: boolean) => Statement;
  readonly inTransaction: () => boolean;
  readonly close: () => void;
}
export type Driver = (path: string) => Connection;

/**
 * `node:sqlite` where this Node has it, else libsql.
 * @throws REPRISE_DRIVER_MISSING
 */
export async function loadDriver(): Promise<Driver> {
  const builtIn = process.getBuiltinModule("node:sqlite");
  const open = builtIn === undefined ? await loadLibsql() : openNode(builtIn);
  return (path) => connect(open(path));
}

function openNode({ DatabaseSync }: typeof import("node:sqlite")): (path: string) => Database {
  return (path) => {
    const database = new DatabaseSync(path);
    return {
      exec: (sql) => database.exec(sql),
      prepare: (sql, bigints) => {
        const statement = database.prepare(sql);
        if (bigints) statement.setReadBigInts(true);
        return {
          get: (params) => statement.get(...(params as Own[])),
          all: (params) => statement.all(...(params as Own[])),
          run: (params) => Number(statement.run(...(params as Own[])).changes),
        };
      },
      // absent in early releases of Node 22; COMMIT then still fails
      inTransaction: () => database.isTransaction ?? true,
      close: () => database.close(),
    };
  };
}

/** The part of libsql that is used; its own types hold `any`. */
interface Libsql {
  readonly default: new (
    path: string,
  ) => {
    readonly inTransaction: boolean;
    exec(sql: string): void;
    close(): void;
    prepare(sql: string): {
      readonly reader: boolean;
      safeIntegers(on: boolean): unknown;
      get(params: readonly unknown[]): OwnRow | undefined;
      all(params: readonly unknown[]): readonly OwnRow[];
      run(params: readonly unknown[]): { readonly changes: number };
    };
  };
}

async function loadLibsql(): Promise<(path: string) => Database> {
  let libsql: Libsql;
  try {
    libsql = (await import("libsql")) as unknown as Libsql;
  } catch (error) {
    throw new RepriseError("REPRISE_DRIVER_MISSING", { store: "sqliteLedger", driver: "libsql" }, error);
  }
  return (path) => {
    const database = new libsql.default(path);
    return {
      exec: (sql) => database.exec(sql),
      prepare: (sql, bigints) => {
        const statement = database.prepare(sql);
        if (bigints) statement.safeIntegers(true);
        // always one array: given bytes as the only argument, libsql aborts the process
        const { reader } = statement;
        return {
          get: (params) => statement.get(params),
          all: (params) => {
            if (reader) return statement.all(params);
            // an iterator over no rows takes it as long again as the statement
            statement.run(params);
            return [];
          },
          run: (params) => statement.run(params).changes,
        };
      },
      inTransaction: () => database.inTransaction,
      close: () => database.close(),
    };
  };
}

/** A user's statements may be built from values: keep the latest, not all of them. */
const keptStatements = 256;

function connect(database: Database): Connection {
  const own = new Map<string, Statement>();
  const users = new Map<string, Statement>();
  let open = true;
  const prepared = (sql: string): Statement => {
    let statement = own.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql, false);
      own.set(sql, statement);
    }
    return statement;
  };
  return {
    exec: database.exec,
    get: (sql, params) => prepared(sql).get(params),
    all: (sql, params) => prepared(sql).all(params),
    run: (sql, params) => prepared(sql).run(params),
    query: (sql, params) => {
      let statement = users.get(sql);
      if (statement === undefined) {
        statement = database.prepare(sql, true);
        const [oldest] = users.keys();
        if (users.size >= keptStatements && oldest !== undefined) users.delete(oldest);
        users.set(sql, statement);
      }
      return statement.all(params.map(toSqlite)).map(fromSqlite);
    },
    inTransaction: () => open && database.inTransaction(),
    close: () => {
      open = false;
      own.clear();
      users.clear();
      database.close();
    },
  };
}

/** libsql aborts the process over a type it does not know, so none gets there. */
function toSqlite(value: unknown, index: number): null | string | number | bigint | Uint8Array {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? 1n : 0n;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return value;
      break;
    case "number":
      // both drivers bind every number as a real, and 5 would come back from a text column as "5.0"
      if (Number.isSafeInteger(value)) return BigInt(value);
      if (!Number.isNaN(value)) return value;
      break;
    case "object":
      if (value === null || value instanceof Uint8Array) return value;
  }
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "tx.query",
    why: `parameter ${index + 1} is no value that SQLite keeps.`,
    mend: "Pass null, a string, a number, a 64-bit bigint, a boolean or bytes.",
  });
}

function fromSqlite(row: OwnRow): Row {
  const plain: { [column: string]: SqliteValue } = {};
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === "bigint") plain[column] = isSafe(value) ? Number(value) : value;
    else if (value instanceof ArrayBuffer) plain[column] = new Uint8Array(value);
    else plain[column] = value as SqliteValue;
  }
  return plain;
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}
