import { isRepriseError, RepriseError } from "../../base/errors.ts";

/** Where drivers and mappers keep the error that they wrap. */
const wrappers = ["cause", "driverError", "original", "parent"] as const;
const deepest = 5;

/** The first of an error and those it wraps that has such a code. */
function codeOf(error: unknown, isWanted: (code: string) => boolean, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > deepest) return undefined;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === "string" && isWanted(code)) return code;
  for (const wrapper of wrappers) {
    const found = codeOf((error as Readonly<Record<string, unknown>>)[wrapper], isWanted, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** PostgreSQL's own code of an error, also of one that a mapper wraps. `undefined`: the server did not send it. */
export function sqlState(error: unknown): string | undefined {
  return codeOf(error, (code) => /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code));
}

/** Another transaction was in the way: repeated as a whole, this one may go through. */
export function isConflict(error: unknown): boolean {
  // of what has been repeated in vain, the cause is a conflict too
  if (isRepriseError(error)) return error.code === "REPRISE_RETRY_TRANSACTION";
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/** A row of ours that another transaction has written meanwhile. */
export function isOwnDuplicate(error: unknown): boolean {
  if (typeof error !== "object" || error === null || sqlState(error) !== "23505") return false;
  const named = error as { readonly constraint?: unknown; readonly constraint_name?: unknown };
  return String(named.constraint ?? named.constraint_name).startsWith("reprise_");
}

/** What a statement says that comes after a failed one. */
export function isAborted(error: unknown): boolean {
  return sqlState(error) === "25P02";
}

/** What a savepoint is told where no transaction is open. */
export function isOutside(error: unknown): boolean {
  return sqlState(error) === "25P01";
}

/** The server ended the session or the client lost it: what was under way may or may not have happened. */
export function isLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return state.startsWith("08") || state.startsWith("57P") || /^25P0[34]$/.test(state);
  return codeOf(error, (code) => networkCodes.has(code)) !== undefined;
}

const networkCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
]);

/** Too many sessions, a lock or a statement that took too long: by the server's own limits. */
const busyStates = new Set(["53300", "55P03", "57014"]);

/** What `isOpen` fails with: no other text of ours is cast that could be none of its type. */
export function isEnded(error: unknown): boolean {
  return sqlState(error) === "22P02";
}

const unusable: Readonly<Record<string, string>> = {
  "42P01": "a table of it is missing: call open, or create its tables",
  "42703": "a column of it is missing: its tables are of another version",
  "42883": "a function of it is missing: call open, or migrate",
  "22021": "a name or a text of it holds a NUL, which PostgreSQL keeps nowhere",
  "26000": "a statement that it prepared is gone: behind a pooler that shares sessions say prepared: false",
  "42P05": "a statement that it prepares is there: behind a pooler that shares sessions say prepared: false",
  "3F000": "its schema is missing: call open, or create it",
  "42501": "this role lacks a privilege on its schema, tables or functions",
  "28000": "this role may not log in",
  "28P01": "the password is wrong",
  "3D000": "the database does not exist",
  "25006": "the server takes no writes",
};

/** Errors of our own statements in the catalogue's terms. */
export function translate(error: unknown, ledger: string, doing: string, afterMs: number): RepriseError {
  if (isRepriseError(error)) return error;
  const state = sqlState(error);
  if (state !== undefined) {
    const why = unusable[state];
    if (why !== undefined) return new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why }, error);
    if (busyStates.has(state)) return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs }, error);
  }
  return new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, error);
}
