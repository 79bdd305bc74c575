/** The same driver as the ledger's: `node:sqlite` where Node has it, else `libsql`. */

export interface Statement {
  run(...parameters: readonly (string | number | null)[]): { readonly changes: number | bigint };
  get(...parameters: readonly (string | number | null)[]): unknown;
}
export interface Database {
  exec(text: string): unknown;
  prepare(text: string): Statement;
  close(): void;
}

/** Opened as the ledger opens its file: a commit is on the disk when it returns. */
export async function openDatabase(path: string): Promise<Database> {
  const builtin = process.getBuiltinModule("node:sqlite");
  const database: Database =
    builtin === undefined
      ? (new (await import("libsql")).default(path) as unknown as Database)
      : new builtin.DatabaseSync(path);
  database.exec("pragma journal_mode = wal");
  database.exec("pragma synchronous = full");
  return database;
}
