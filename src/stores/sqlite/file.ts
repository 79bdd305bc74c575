import { existsSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { pause, withDeadline } from "../../base/promise.ts";
import { giveTurn } from "../../base/turn.ts";
import { createTurns } from "../turns.ts";
import { type Connection, isBusy, isBusySnapshot, loadDriver, permanentFault, resultCode } from "./driver.ts";
import { createTables, isComplete } from "./migration.ts";

/** One SQLite file: a connection that writes, one transaction at a time, and one that reads what is committed. */
export interface SqliteFile {
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** `work` in an immediate transaction of its own. It is synchronous, so nothing interleaves. */
  readonly write: <T>(doing: string, work: (connection: Connection, now: number) => T) => Promise<T>;
  /** `work` in an immediate transaction that stays open while it waits. What it throws rolls back and is rethrown. */
  readonly transact: <T>(doing: string, work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Our own statements inside a transaction: their errors in the catalogue's terms. */
  readonly step: <T>(doing: string, work: () => T) => T;
  /** Marks the user's part of a transaction, so that waiting for this file from within is noticed. */
  readonly within: <T>(work: () => Promise<T>) => Promise<T>;
  readonly read: <T>(doing: string, work: (connection: Connection, now: number) => T) => Promise<T>;
  /** On a connection of its own, whether or not the tables are there. Reading makes no file: it finds nothing in it. */
  readonly unopened: <T>(doing: "migrate" | "compare", work: (connection: Connection) => T) => Promise<T>;
}

interface Connections {
  readonly writer: Connection;
  readonly reader: Connection;
}

/** Other processes hold the file for a commit's length, about a millisecond: whoever waits longer finds it taken again. */
const retryMs = { least: 1, most: 3 };

export function sqliteFile(options: {
  readonly ledger: string;
  readonly path: string;
  readonly clock: Clock;
  readonly busyMs: number;
}): SqliteFile {
  const { ledger, path, clock, busyMs } = options;
  const turns = createTurns({ ledger, place: path, clock, waitMs: busyMs });
  let opening: Promise<Connections> | undefined;
  let connections: Connections | undefined;
  let closing: Promise<void> | undefined;

  const unusable = (fault: string, cause?: unknown) =>
    new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: `of '${path}', ${fault}` }, cause);

  /** Our own statements' errors in the catalogue's terms; what is no error of SQLite's is a fault and stays itself. */
  const translate = (error: unknown, doing: string): unknown => {
    if (isBusySnapshot(error)) return new RepriseError("REPRISE_RETRY_TRANSACTION", { ledger }, error);
    if (isBusy(error)) return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: busyMs }, error);
    const fault = permanentFault(error);
    if (fault !== undefined) return unusable(fault, error);
    return resultCode(error) === 0 ? error : new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, error);
  };

  /** The drivers are synchronous: SQLite's own busy timeout would block the loop that has to commit. */
  const whenFree = async <T>(deadline: number, doing: string, step: () => T): Promise<T> => {
    for (let longest = retryMs.least; ; longest = Math.min(longest * 2, retryMs.most)) {
      try {
        return step();
      } catch (error) {
        if (!isBusy(error) || clock.monotonic() >= deadline) throw translate(error, doing);
      }
      await pause(clock, retryMs.least + Math.random() * longest);
    }
  };

  /** The first use opens. Closing is for good. */
  const connected = async (doing: string): Promise<Connections> => {
    if (closing !== undefined) throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing: `${doing}, closed` });
    return connections ?? open();
  };
  const open = async (): Promise<Connections> => {
    opening ??= connect();
    try {
      connections = await opening;
      return connections;
    } catch (error) {
      // the next call tries again
      opening = undefined;
      throw error;
    }
  };

  const rollback = (connection: Connection): void => {
    if (connection.inTransaction()) connection.exec("rollback");
  };

  const step = <T>(doing: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw translate(error, doing);
    }
  };

  const inTransaction = async <T>(
    { writer }: Connections,
    deadline: number,
    doing: string,
    work: (connection: Connection) => T | Promise<T>,
  ): Promise<T> => {
    // in its place of the queue, so that closing waits for it
    await giveTurn();
    await whenFree(deadline, doing, () => writer.exec("begin immediate"));
    try {
      const value = await work(writer);
      step(doing, () => writer.exec("commit"));
      return value;
    } catch (error) {
      rollback(writer);
      throw error;
    }
  };

  const connect = async (): Promise<Connections> => {
    const driver = await loadDriver();
    const opened: Connection[] = [];
    const connection = (): Connection => {
      try {
        const made = driver(path);
        opened.push(made);
        made.exec("pragma busy_timeout = 0");
        return made;
      } catch (error) {
        throw unusable(permanentFault(error) ?? "it cannot be opened: its directory must exist and be writable", error);
      }
    };
    try {
      const writer = connection();
      const reader = connection();
      const made = { writer, reader };
      const deadline = clock.monotonic() + busyMs;
      const [mode] = await whenFree(deadline, "open", () => writer.all("pragma journal_mode = wal", []));
      if (mode?.["journal_mode"] !== "wal") {
        // on a file system without shared memory readers would block writers, and SQLite stays in another mode
        throw unusable("its file system cannot share memory between processes, which the write-ahead log needs");
      }
      writer.exec("pragma synchronous = full");
      if (!(await whenFree(deadline, "open", () => isComplete(writer, ledger)))) {
        await inTransaction(made, deadline, "open", () => createTables(writer, ledger));
      }
      reader.exec("pragma query_only = 1");
      return made;
    } catch (error) {
      for (const made of opened) made.close();
      throw translate(error, "open");
    }
  };

  const unopened: SqliteFile["unopened"] = async (doing, work) => {
    const driver = await loadDriver();
    const isReading = doing === "compare";
    const connection = step(doing, () => driver(isReading && !existsSync(path) ? ":memory:" : path));
    try {
      const deadline = clock.monotonic() + busyMs;
      connection.exec(`pragma busy_timeout = 0; pragma query_only = ${isReading ? 1 : 0}`);
      if (isReading) return await whenFree(deadline, doing, () => work(connection));
      await whenFree(deadline, doing, () => connection.all("pragma journal_mode = wal", []));
      const alone = { writer: connection, reader: connection };
      return await inTransaction(alone, deadline, doing, () => step(doing, () => work(connection)));
    } finally {
      connection.close();
    }
  };

  return {
    open: async () => {
      if (closing !== undefined) throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing: "open, closed" });
      await open();
    },
    close: () => {
      closing ??= (async () => {
        const open = await opening?.catch(() => undefined);
        // a transaction that never ends is rolled back by disconnecting
        await withDeadline(clock, defaults.drainMs, turns.idle(), () => new Error()).catch(() => undefined);
        open?.reader.close();
        open?.writer.close();
      })();
      return closing;
    },
    write: async (doing, work) => {
      const open = await connected(doing);
      return turns.take((deadline) =>
        inTransaction(open, deadline, doing, (connection) => step(doing, () => work(connection, clock.now()))),
      );
    },
    transact: async (doing, work) => {
      const open = await connected(doing);
      return turns.take((deadline) => inTransaction(open, deadline, doing, work));
    },
    step,
    within: turns.within,
    read: async (doing, work) => {
      await giveTurn();
      const { reader } = await connected(doing);
      return whenFree(clock.monotonic() + busyMs, doing, () => work(reader, clock.now()));
    },
    unopened,
  };
}
