import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { sha256 } from "../../base/names.ts";
import { pause, withDeadline } from "../../base/promise.ts";
import { UnderWay } from "../../base/under-way.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import type { Answer, Driver, Parameter, Query, Statement } from "./driver.ts";
import { isAborted, isConflict, isLoss, isOwnDuplicate, sqlState, translate } from "./failure.ts";
import { Lent } from "./lent.ts";
import { inSchema } from "./schema.ts";

/** A statement of ours as the files beside this one write it: `@work` is a table, wherever the schema is. */
export interface Step {
  readonly text: StatementText;
  readonly params: readonly Parameter[];
}
export type StatementText = string | TwoForms | TwoWays;
/** Where a table in partitions needs another statement, both, of the same parameters. */
export interface TwoForms {
  readonly whole: string;
  readonly partitioned: string;
}
/** A statement that is planned once where it has a name, and a call of a function that is planned once anywhere. */
export interface TwoWays {
  readonly named: TwoForms;
  readonly unnamed: TwoForms;
}

export function step(text: StatementText, ...params: readonly Parameter[]): Step {
  return { text, params };
}

/** Sends steps in one round trip, on a connection that is borrowed for it. */
export type Ask = (steps: readonly Step[]) => Promise<readonly Answer[]>;

/** How the work of a transaction ends it. */
export type Ending<T> =
  | { readonly is: "commit"; readonly steps: readonly Step[]; readonly value: (answers: readonly Answer[]) => T }
  /** `soon`: whoever asked need not wait for it. */
  | { readonly is: "rollback"; readonly value: T; readonly soon: boolean };

/** An open transaction of our own. */
export interface Held {
  readonly run: (steps: readonly Step[]) => Promise<readonly Answer[]>;
  /** The user's statement: its errors pass through. */
  readonly query: (text: string, params: readonly unknown[]) => Promise<QueryResult>;
  readonly queryAll: (queries: readonly Query[]) => Promise<readonly QueryResult[]>;
}

/** What work that has begun, and awaits its first statement, comes to. */
export type ComesTo = "one statement" | "more";

/** A transaction of which nothing is repeated, and each statement of whose work may take so long. */
export interface Alone {
  readonly statementMs: number;
}

/** One database through one pool. Every call has a deadline; a connection that passed it is not used again. */
export interface PostgresServer {
  readonly ledger: string;
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** One statement, a transaction by itself. It is repeated when another transaction was in the way. */
  readonly once: (doing: string, text: StatementText, ...params: readonly Parameter[]) => Promise<Answer>;
  /**
   * Statements in one transaction and one round trip, each with a snapshot of its own, unless `snapshot` asks for one
   * for all. Repeated likewise.
   */
  readonly together: (doing: string, steps: readonly Step[], snapshot?: "one") => Promise<readonly Answer[]>;
  /**
   * `work` in a transaction that stays open while it waits. BEGIN and `opening` share a round trip, as do its last steps
   * and COMMIT. Repeated as a whole when another transaction was in the way, unless it is `alone`.
   */
  readonly transaction: <T>(
    doing: string,
    opening: readonly Step[],
    work: (held: Held, answers: readonly Answer[]) => Promise<Ending<T>>,
    alone?: Partial<Alone>,
  ) => Promise<T>;
  /**
   * The same with no steps at the end. Nothing is sent before `work` has said, by `decide`, what it comes to: one statement is
   * a transaction by itself, and takes one round trip.
   */
  readonly undecided: <T>(
    doing: string,
    opening: readonly Step[],
    work: (held: Held, decide: (comesTo: ComesTo) => void) => Promise<T>,
  ) => Promise<T>;
  /** `work` on a connection, whether or not the tables are there. Its statements have no deadline: an index takes long. */
  readonly unopened: <T>(doing: string, work: (ask: Ask) => Promise<T>) => Promise<T>;
  /** Counts work that is done on another connection: `close` waits for it, and after it none begins. */
  readonly elsewhere: <T>(doing: string, work: () => Promise<T>) => Promise<T>;
  /** When a statement that the server itself ends after `ms` has been answered, or never will be. */
  readonly answersBy: (ms: number) => number;
  readonly repeating: <T>(work: () => Promise<T>) => Promise<T>;
  /** A step's text for whoever sends it, without a name. */
  readonly textOf: (step: Step) => string;
}

export type Isolation = "read committed" | "repeatable read" | "serializable";

export function postgresServer(options: {
  readonly ledger: string;
  readonly driver: Driver;
  readonly schema: string;
  readonly prepared: boolean;
  readonly isolation: Isolation | undefined;
  readonly answerMs: number;
  readonly workMs: number;
  /** Creates and checks the tables; tells whether they are in partitions. */
  readonly create: (ask: Ask) => Promise<boolean>;
}): PostgresServer {
  const { ledger, driver, schema, prepared, isolation, answerMs, workMs } = options;
  const clock = systemClock;
  const compiled = new Map<string | TwoForms, Omit<Statement, "params">>();
  const held = new UnderWay<Lent>();
  let busy = 0;
  let whenIdle: (() => void) | undefined;
  let isOpen = false;
  let opening: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let isPartitioned = false;

  const begin = step(isolation === undefined ? "begin" : `begin isolation level ${isolation}`);
  const commit = step("commit");
  const away = (doing: string, cause?: unknown) => new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, cause);

  const compileFor =
    (isNamed: boolean) =>
    ({ text, params }: Step): Statement => {
      const forms = typeof text === "string" || "whole" in text ? text : isNamed ? text.named : text.unnamed;
      let known = compiled.get(forms);
      if (known === undefined) {
        const chosen = typeof forms === "string" ? forms : isPartitioned ? forms.partitioned : forms.whole;
        const own = inSchema(chosen, schema);
        known = { text: own, name: prepared ? `reprise_${sha256(own).slice(0, 20)}` : null };
        compiled.set(forms, known);
      }
      return { text: known.text, name: known.name, params };
    };
  const compile = compileFor(prepared);
  const compileUnnamed = compileFor(false);

  const connect = async (doing: string, waitMs: number): Promise<Lent> => {
    const pending = driver.connect();
    let late = false;
    try {
      const connection = await withDeadline(clock, waitMs, pending, () => {
        late = true;
        if (driver.isExhausted()) return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs });
        return away(`${doing}, connect`);
      });
      return new Lent(connection, held);
    } catch (error) {
      // the pool still hands it out some day
      if (late) pending.then((connection) => connection.release()).catch(ignore);
      throw translate(error, ledger, `${doing}, connect`, waitMs);
    }
  };

  /** Errors stay what they are, so that conflicts can be told; a connection of which nobody knows what it does is ended. */
  const exchange = async <T>(lent: Lent, doing: string, waitMs: number, sent: Promise<T>): Promise<T> => {
    try {
      return await withDeadline(clock, waitMs, sent, () => away(doing));
    } catch (error) {
      if (sqlState(error) === undefined || isLoss(error)) lent.destroy();
      throw error;
    }
  };
  const send = (lent: Lent, doing: string, steps: readonly Step[], waitMs = answerMs) =>
    exchange(lent, doing, waitMs, lent.connection.send(steps.map(compile)));

  const rollBack = async (lent: Lent): Promise<void> => {
    if (!lent.isHeld) return;
    try {
      await send(lent, "roll back", [step("rollback")]);
      lent.release();
    } catch {
      lent.destroy();
    }
  };

  const repeating = async <T>(work: () => Promise<T>): Promise<T> => {
    const { attempts, longestPauseMs } = defaults.postgres.conflicts;
    const since = clock.monotonic();
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isConflict(error) && !isOwnDuplicate(error)) throw error;
        const afterMs = Math.round(clock.monotonic() - since);
        if (attempt >= attempts) throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs }, error);
        await pause(clock, Math.random() * Math.min(2 ** attempt, longestPauseMs));
      }
    }
  };

  /** Whoever closes waits for it. */
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    busy += 1;
    try {
      return await work();
    } finally {
      busy -= 1;
      if (busy === 0) whenIdle?.();
    }
  };
  const elsewhere = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) throw away(`${doing}, closed`);
    if (!isOpen) await open();
    return counted(work);
  };

  /** On a connection of its own that is given back after it, whatever happened. */
  const own = <T>(doing: string, work: (lent: Lent) => Promise<T>, alone?: Partial<Alone>): Promise<T> => {
    const once = async () => work(await connect(doing, answerMs));
    return elsewhere(doing, () => (alone === undefined ? repeating(once) : once()));
  };
  const answersBy = (ms: number) => ms + answerMs;

  const failed = (error: unknown, doing: string, afterMs = answerMs): unknown =>
    isConflict(error) || isOwnDuplicate(error) ? error : translate(error, ledger, doing, afterMs);

  const once: PostgresServer["once"] = (doing, text, ...params) =>
    own(doing, async (lent) => {
      try {
        const [answer] = await send(lent, doing, [step(text, ...params)]);
        if (answer === undefined) throw away(doing);
        return answer;
      } catch (error) {
        throw failed(error, doing);
      } finally {
        if (lent.isHeld) lent.release();
      }
    });

  const together: PostgresServer["together"] = (doing, steps, snapshot) =>
    own(doing, async (lent) => {
      const level = snapshot === "one" ? "repeatable read, read only" : "read committed";
      const since = clock.monotonic();
      try {
        const answers = await send(lent, doing, [step(`begin isolation level ${level}`), ...steps, commit]);
        lent.release();
        return answers.slice(1, -1);
      } catch (error) {
        const afterMs = Math.round(clock.monotonic() - since);
        await rollBack(lent);
        throw failed(error, doing, afterMs);
      }
    });

  /** What work sends on a connection. `failure`: what a statement of it failed with, the cause of all that fails after it. */
  const sending = (lent: Lent, doing: string, statementMs: number): Held & { readonly failure: () => unknown } => {
    let failure: unknown;
    const asked = async <T>(withinMs: number, sent: Promise<T>): Promise<T> => {
      const doingWork = `${doing}, a statement of the work`;
      try {
        return await exchange(lent, doingWork, withinMs, sent);
      } catch (error) {
        failure = error;
        if (isLoss(error) || lent.connection.isLost()) throw translate(error, ledger, doingWork, withinMs);
        throw error;
      }
    };
    return {
      failure: () => failure,
      run: async (steps) => {
        try {
          return await send(lent, doing, steps);
        } catch (error) {
          throw isAborted(error) && failure !== undefined ? failure : failed(error, doing);
        }
      },
      query: (text, params) => asked(statementMs, lent.connection.query(text, params)),
      queryAll: (queries) => asked(statementMs, lent.connection.queryAll(queries)),
    };
  };

  const transaction: PostgresServer["transaction"] = (doing, first, work, alone) => {
    const statementMs = alone?.statementMs === undefined ? workMs : answersBy(alone.statementMs);
    return own(
      doing,
      async (lent) => {
        const held = sending(lent, doing, statementMs);
        try {
          const [, ...answers] = await held.run([begin, ...first]);
          const ending = await work(held, answers);
          if (ending.is === "rollback") {
            const rolledBack = counted(() => rollBack(lent));
            if (!ending.soon) await rolledBack;
            return ending.value;
          }
          const last = await finish(lent, `${doing}, commit`, [...ending.steps, commit], held.failure);
          lent.release();
          return ending.value(last);
        } catch (error) {
          await rollBack(lent);
          throw error;
        }
      },
      alone,
    );
  };

  const undecided: PostgresServer["undecided"] = (doing, first, work) =>
    own(doing, async (lent) => {
      const held = sending(lent, doing, workMs);
      let isByItself = false;
      let decide: (comesTo: ComesTo) => void = () => undefined;
      const begun = new Promise<ComesTo>((resolve) => {
        decide = resolve;
      }).then(async (comesTo) => {
        // the isolation that is asked for is a transaction's that is begun
        isByItself = comesTo === "one statement" && isolation === undefined;
        if (!isByItself) await held.run([begin, ...first]);
      });
      try {
        const value = await work(
          {
            run: (steps) => begun.then(() => held.run(steps)),
            query: (text, params) => begun.then(() => held.query(text, params)),
            queryAll: (queries) => begun.then(() => held.queryAll(queries)),
          },
          decide,
        );
        // also of work that sends nothing
        await begun;
        if (!isByItself) await finish(lent, `${doing}, commit`, [commit], held.failure);
        lent.release();
        return value;
      } catch (error) {
        if (!isByItself) await rollBack(lent);
        else if (lent.isHeld) lent.release();
        throw error;
      }
    });

  /** The last steps and COMMIT. Where its answer is lost, nobody knows yet: `REPRISE_LEDGER_AWAY`, and claiming again tells. */
  const finish = async (
    lent: Lent,
    doing: string,
    steps: readonly Step[],
    cause: () => unknown,
  ): Promise<readonly Answer[]> => {
    let answers: readonly Answer[];
    try {
      answers = await send(lent, doing, steps);
    } catch (error) {
      if (isAborted(error)) throw cause() ?? error;
      throw isUsers(error) ? error : failed(error, doing);
    }
    // a COMMIT after a swallowed error succeeds, and has rolled back
    if (answers.at(-1)?.command !== "COMMIT") throw cause() ?? away(doing);
    return answers;
  };

  const open = (): Promise<void> => {
    opening ??= create().catch((error: unknown) => {
      // the next call tries again
      opening = undefined;
      throw translate(error, ledger, "open", defaults.openMs);
    });
    return opening;
  };

  const borrowed = async <T>(doing: string, waitMs: number, work: (ask: Ask) => Promise<T>): Promise<T> => {
    const lent = await connect(doing, defaults.openMs);
    try {
      const value = await work((steps) => send(lent, doing, steps, waitMs));
      lent.release();
      return value;
    } catch (error) {
      await rollBack(lent);
      throw error;
    }
  };
  const create = async (): Promise<void> => {
    isPartitioned = await borrowed("open", defaults.openMs, options.create);
    isOpen = true;
  };

  return {
    ledger,
    open: async () => {
      if (closing !== undefined) throw away("open, closed");
      await open();
    },
    close: () => {
      closing ??= (async () => {
        const idle = new Promise<void>((resolve) => {
          whenIdle = resolve;
          if (busy === 0) resolve();
        });
        await withDeadline(clock, defaults.drainMs, idle, () => new Error()).catch(ignore);
        // a transaction that never ends is rolled back by disconnecting; the pool is its maker's
        for (const lent of held) lent.destroy();
      })();
      return closing;
    },
    once,
    together,
    transaction,
    undecided,
    unopened: async (doing, work) => {
      if (closing !== undefined) throw away(`${doing}, closed`);
      try {
        return await counted(() => borrowed(doing, defaults.migrateMs, work));
      } catch (error) {
        throw translate(error, ledger, doing, defaults.migrateMs);
      }
    },
    elsewhere,
    answersBy,
    repeating,
    textOf: (one) => compileUnnamed(one).text,
  };
}

/** A deferred constraint or trigger of the user's, told at COMMIT. */
function isUsers(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (state.startsWith("23") || state.startsWith("P0"));
}

function ignore(): void {}
