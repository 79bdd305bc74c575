import type { Clock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { type Enclosing, leaveWhole, runInside } from "../inside.ts";
import { createTurns } from "../turns.ts";
import type { Scope } from "./shelf.ts";

/** Rows by key, written all or not at all. Valid until the work that received it ends. */
export interface MemoryTransaction {
  readonly get: (key: string) => unknown;
  readonly set: (key: string, value: unknown) => void;
  readonly delete: (key: string) => void;
}

/** How another store's transactions are opened: `begin` commits when `work` resolves and rolls back when it rejects. */
export interface Transactions<Tx> {
  readonly begin: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /** For savepoints; without it `executeIn` undoes its record alone when it fails. */
  readonly query?: ((tx: Tx, text: string, params: readonly unknown[]) => Promise<readonly unknown[]>) | undefined;
}

/** Runs work in transactions and settles the records with them. */
export interface Runner<Tx> {
  readonly run: <T>(scope: Scope, work: (tx: Tx) => Promise<T>) => Promise<T>;
  /** Under a savepoint of an open transaction. */
  readonly nest: <T>(tx: Tx, work: (tx: Tx, scope: Scope) => Promise<T>) => Promise<T>;
  /** Resolves when no transaction is open. */
  readonly idle: () => Promise<void>;
}

export function newScope(): Scope {
  return { transaction: {}, commit: [], undo: [] };
}

/** Another store's transactions: it isolates them, and the records follow its commit. */
export function foreignTransactions<Tx>(transactions: Transactions<Tx>): Runner<Tx> {
  const open = new Map<Tx, Scope>();
  const running = new Set<Promise<void>>();

  const run: Runner<Tx>["run"] = (scope, work) => {
    const result = settling(scope, () =>
      transactions.begin(async (tx) => {
        open.set(tx, scope);
        try {
          return await work(tx);
        } finally {
          open.delete(tx);
        }
      }),
    );
    const settled = result.then(ignore, ignore).finally(() => running.delete(settled));
    running.add(settled);
    return result;
  };

  return {
    run,
    nest: async (tx, work) => {
      const scope = open.get(tx);
      if (scope === undefined) throw misuse("this object is no open transaction of this ledger.");
      const { length } = scope.undo;
      await transactions.query?.(tx, "savepoint reprise", []);
      try {
        const value = await work(tx, scope);
        await transactions.query?.(tx, "release savepoint reprise", []);
        return value;
      } catch (error) {
        rollBack(scope, length);
        await transactions.query?.(tx, "rollback to savepoint reprise", []);
        throw error;
      }
    },
    idle: async () => {
      await Promise.all(running);
    },
  };
}

/** The rows of the ledger itself: one transaction at a time, so none has to be repeated. */
export function memoryTransactions(
  rows: Map<string, unknown>,
  clock: Clock,
  ledger: string,
): Runner<MemoryTransaction> {
  const turns = createTurns({ ledger, place: {}, clock, waitMs: defaults.sqlite.busyMs });
  const levels = new WeakMap<MemoryTransaction, Enclosing & { readonly scope: Scope }>();

  const check = (tx: MemoryTransaction) => {
    const level = levels.get(tx);
    if (level === undefined) throw misuse("this object is no open transaction of this ledger.");
    if (level.inside !== undefined) throw misuse("a run inside this transaction is under way.");
    return level;
  };

  const level = async <T>(scope: Scope, work: (tx: MemoryTransaction, scope: Scope) => Promise<T>): Promise<T> => {
    const remember = (key: string) => {
      const [present, value] = [rows.has(key), rows.get(key)];
      scope.undo.push(() => (present ? rows.set(key, value) : rows.delete(key)));
    };
    const tx: MemoryTransaction = {
      get: (key) => {
        check(tx);
        return rows.get(key);
      },
      set: (key, value) => {
        check(tx);
        remember(key);
        rows.set(key, value);
      },
      delete: (key) => {
        check(tx);
        remember(key);
        rows.delete(key);
      },
    };
    const own = { scope, inside: undefined };
    levels.set(tx, own);
    try {
      return await leaveWhole(own, work(tx, scope), unawaited);
    } finally {
      levels.delete(tx);
    }
  };

  return {
    run: async (scope, work) => {
      try {
        // settled within the turn: the next one must find what this one left
        return await turns.take(() => turns.within(() => settling(scope, () => level(scope, work))));
      } catch (error) {
        // the turn may never have come
        rollBack(scope, 0);
        throw error;
      }
    },
    nest: async (tx, work) => {
      const outer = check(tx);
      const { length } = outer.scope.undo;
      try {
        return await runInside(outer, () => level(outer.scope, work));
      } catch (error) {
        rollBack(outer.scope, length);
        throw error;
      }
    },
    idle: turns.idle,
  };
}

/** The records follow the transaction: what it wrote is kept when it commits, taken back when it does not. */
async function settling<T>(scope: Scope, transaction: () => Promise<T>): Promise<T> {
  try {
    const value = await transaction();
    for (const commit of scope.commit) commit();
    return value;
  } catch (error) {
    rollBack(scope, 0);
    throw error;
  }
}

function rollBack(scope: Scope, to: number): void {
  for (const undo of scope.undo.splice(to).reverse()) undo();
}

const unawaited = () => misuse("its work ended before a run inside it, which nobody awaited.");

function misuse(why: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "memory transaction",
    why,
    mend: "Use the tx that the innermost work receives, until that work ends.",
  });
}

function ignore(): void {}
