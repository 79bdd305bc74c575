import type { SqlResult } from "../../contract/sql.ts";
import type { QueryResult } from "../../contract/transactions.ts";

/** A pool of `mysql2/promise`, as little of it as the ledger needs. It stays the user's: the ledger never ends it. */
export interface MysqlPool {
  readonly getConnection: () => Promise<MysqlConnection>;
}
export interface MysqlConnection {
  readonly query: {
    (options: MysqlQuery): Promise<readonly [unknown, ...unknown[]]>;
    (sql: string, values: unknown[]): Promise<readonly [unknown, ...unknown[]]>;
  };
  readonly release: () => void;
  readonly destroy: () => void;
}
export interface MysqlQuery {
  readonly sql: string;
  readonly values?: unknown[];
  readonly rowsAsArray?: boolean;
  readonly nestTables?: boolean;
  readonly namedPlaceholders?: boolean;
  readonly typeCast?: boolean;
}

/**
 * What a statement of ours takes. Text goes as its bytes: whatever character set and SQL mode a connection has, nothing is
 * converted, compared by a collation or escaped.
 */
export type Own = Uint8Array | number | null;

/** What our statements run on: a connection of the pool, or a mapper's transaction. */
export interface Connection {
  readonly dialect: Dialect;
  readonly query: (text: string, params: readonly Own[]) => Promise<QueryResult>;
  /** A statement without rows: no option of the pool shapes its answer, and the driver is asked the cheaper way. */
  readonly run: (text: string, params: readonly Own[]) => Promise<Pick<QueryResult, "count">>;
  /** An update of one row and the commit behind it, in one trip; a conflict where the row is not there. Left out: it cannot. */
  readonly commitWith?: ((text: string, params: readonly Own[]) => Promise<void>) | undefined;
}

export type Dialect = "mariadb" | "mysql";

/** The server's own number for an error, also of one that a mapper wrapped. 0: no error of the server's. */
export function errorNumber(error: unknown): number {
  let one: unknown = error;
  for (let depth = 0; depth < 5 && typeof one === "object" && one !== null; depth++) {
    const { errno, cause, driverError, original } = one as Readonly<Record<string, unknown>>;
    if (typeof errno === "number" && errno > 0) return errno;
    one = cause ?? driverError ?? original;
  }
  return 0;
}

/** The server has rolled the whole transaction back, or asks for it: a deadlock, or a row that a snapshot has missed. */
export function isConflict(error: unknown): boolean {
  return [1213, 1020].includes(errorNumber(error));
}
export function isLocked(error: unknown): boolean {
  return [1205, 3572].includes(errorNumber(error));
}
export function isDuplicate(error: unknown): boolean {
  return errorNumber(error) === 1062;
}
/** A table, a column or a key of this name. */
export function isThereAlready(error: unknown): boolean {
  return [1050, 1060, 1061].includes(errorNumber(error));
}
/** Rolling back to a savepoint of a transaction that is no more. */
export function isSavepointMissing(error: unknown): boolean {
  return errorNumber(error) === 1305;
}

/** The server said no, and listens on. After any other error nobody knows what the connection is in the middle of. */
export function isAnswer(error: unknown): boolean {
  const number = errorNumber(error);
  const fatal = typeof error === "object" && error !== null && "fatal" in error && error.fatal === true;
  return number > 0 && number !== packetTooLarge && !fatal && !leaving.has(number);
}
/** The server reads nothing more on this connection. */
const packetTooLarge = 1153;
/** Killed, shut down, timed out, or a packet that cannot be read. */
const leaving = new Set([1053, 1077, 1078, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031]);

/** The connection, or the server, is gone: an error of a socket or of the driver's, which has no number of the server's. */
export function isLoss(error: unknown): boolean {
  if (leaving.has(errorNumber(error))) return true;
  if (errorNumber(error) !== 0 || typeof error !== "object" || error === null) return false;
  if ("fatal" in error && error.fatal === true) return true;
  if ("code" in error && typeof error.code === "string")
    return /^(?:E[A-Z]+|(?:PROTOCOL|HANDSHAKE)_\w+)$/.test(error.code);
  return error instanceof Error && withoutCode.has(error.message);
}
const withoutCode = new Set(["Pool is closed.", "No connections available.", "Queue limit reached."]);

const rights = "its user may not do what the ledger needs";
const readOnly = "it is read-only";
const otherTables = "its tables are not those that the ledger creates";
const permanent: Readonly<Record<number, string>> = {
  1044: rights,
  1045: rights,
  1142: rights,
  1227: rights,
  1046: "the pool names no database",
  1049: "its database is not there",
  1054: otherTables,
  1146: otherTables,
  [packetTooLarge]: "a statement is larger than its max_allowed_packet",
  1290: readOnly,
  1792: readOnly,
  1836: readOnly,
  1665: "its binary log cannot keep READ COMMITTED: set binlog_format to MIXED or ROW",
};

/** The user has not the right to do that. */
export function isForbidden(error: unknown): boolean {
  return permanent[errorNumber(error)] === rights;
}

/** What is wrong with the server, where that does not pass by itself. */
export function permanentFault(error: unknown): string | undefined {
  return permanent[errorNumber(error)];
}

export interface Answer extends SqlResult {
  /** `null`: the driver does not say. */
  readonly inTransaction: boolean | null;
}

/** A driver's answer: rows, a header, or several of them after a `call`. */
export function answerOf(raw: unknown): Answer {
  const parts: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const headers = parts.filter(isHeader);
  const last = headers.at(-1);
  const inTransaction = last === undefined ? null : (last.serverStatus & statusInTransaction) !== 0;
  if (!Array.isArray(raw)) return { rows: [], count: last?.affectedRows ?? 0, info: last?.info, inTransaction };
  const rows = (Array.isArray(raw[0]) ? raw[0] : headers.length > 0 ? [] : raw) as QueryResult["rows"];
  return { rows, count: rows.length, inTransaction };
}

interface Header {
  readonly affectedRows: number;
  readonly serverStatus: number;
  readonly info?: string;
}
const statusInTransaction = 1;

function isHeader(value: unknown): value is Header {
  // a row with columns of these names is no header: the driver makes headers of a class of its own
  return (
    typeof value === "object" &&
    value !== null &&
    value.constructor.name === "ResultSetHeader" &&
    "serverStatus" in value &&
    "affectedRows" in value
  );
}
