import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Name } from "../../base/names.ts";
import { withDeadline } from "../../base/promise.ts";
import type { QueryResult, Transactions } from "../../contract/transactions.ts";
import { type Enclosing, leaveWhole, runInside } from "../inside.ts";
import type { Answer } from "./driver.ts";
import { isAborted, isConflict, isEnded, isLoss, isOutside, isOwnDuplicate, sqlState, translate } from "./failure.ts";
import { inTurn } from "./in-turn.ts";
import { boundIdling, isOpen, markOpen } from "./rows.ts";
import { type Alone, type Ending, type Held, type PostgresServer, type Step, step } from "./server.ts";

/** What an operation's `run` writes with, where the ledger has the pool alone. Valid until the work that received it ends. */
export interface PostgresTransaction {
  /**
   * Runs one statement and returns its rows. Parameters stand for `$1`, `$2`, … in order. PostgreSQL's own errors pass
   * through; after one the transaction takes no more statements, so let it pass.
   */
  readonly query: (text: string, params?: readonly unknown[]) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** An open transaction, or a savepoint of it. */
export interface Session<Tx> {
  readonly tx: Tx;
  readonly run: (steps: readonly Step[]) => Promise<readonly Answer[]>;
  /** What this transaction is at: its own locks would let it in a second time. */
  readonly running: Set<Name>;
}

/** Runs one after the other in the transaction of a session. */
type InTurn<Tx> = (runs: readonly ((tx: Tx) => Promise<unknown>)[]) => Promise<readonly unknown[]>;

type Work<Tx, T> = (session: Session<Tx>, answers: readonly Answer[]) => Promise<Ending<T>>;

/** Runs work in transactions that `opening` begins. */
export interface Transactor<Tx> {
  /** The user's work and nothing of ours. */
  readonly bare: <T>(doing: string, work: (tx: Tx) => Promise<T>) => Promise<T>;
  readonly run: <T>(doing: string, opening: readonly Step[], work: Work<Tx, T>, alone?: Alone) => Promise<T>;
  /**
   * The same for work of several runs, and not repeated: a conflict is thrown as the server told it. Left out: a mapper's
   * statements go one by one.
   */
  readonly runAll?: <T>(
    doing: string,
    opening: readonly Step[],
    work: (session: Session<Tx>, inTurn: InTurn<Tx>, answers: readonly Answer[]) => Promise<Ending<T>>,
  ) => Promise<T>;
  /**
   * The same under a savepoint of an open transaction. What goes wrong undoes the savepoint.
   * @throws REPRISE_RETRY_TRANSACTION when another transaction was in the way
   */
  readonly nest: <T>(tx: Tx, opening: readonly Step[], work: Work<Tx, T>) => Promise<T>;
  /** The user's statement in an open transaction: its errors pass through. */
  readonly query: (tx: Tx, text: string, params: readonly unknown[]) => Promise<QueryResult>;
}

export const boundIdle = step(
  `select ${boundIdling("$1")} as idle, ${markOpen} as open`,
  String(defaults.postgres.idleMs),
);
/** The server ends a statement that takes longer, and its connection stays of use. */
const boundStatements = "select set_config('statement_timeout', $1::text, true) as bound";

/** The user's work and nothing of ours, once. */
export function runAlone<Tx, T>(
  transactor: Pick<Transactor<Tx>, "run">,
  doing: string,
  work: (tx: Tx) => Promise<T>,
  alone?: Alone,
): Promise<T> {
  const bound = alone === undefined ? [] : [step(boundStatements, String(Math.ceil(alone.statementMs)))];
  return transactor.run(
    doing,
    [boundIdle, ...bound],
    async ({ tx }) => {
      const value = await work(tx);
      return { is: "commit", steps: [], value: () => value };
    },
    alone,
  );
}

interface Level extends Enclosing {
  readonly held: Held;
  readonly depth: number;
  readonly running: Set<Name>;
  open: boolean;
  /** How often its work has asked for something, and the last answer it was promised. */
  asked: number;
  answer: Promise<unknown> | undefined;
}

/** Behind any comments and empty statements. */
const endsTransaction =
  /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(?:begin|start\s+transaction|commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b))\b/i;

/** Transactions of the ledger's own pool. */
export function ownTransactions(server: PostgresServer): Transactor<PostgresTransaction> {
  const levels = new WeakMap<PostgresTransaction, Level>();

  const check = (level: Level | undefined): Level => {
    if (level === undefined)
      throw misuse(
        "this object is no open transaction of this ledger.",
        "Pass the tx it handed out, while its work goes on.",
      );
    if (!level.open) throw misuse("its transaction has ended.", "Await every query before the work returns.");
    // a statement would land under its savepoint, and be undone with it
    if (level.inside !== undefined) {
      throw misuse("a run inside this transaction is under way.", "Await it, and inside use the tx that it receives.");
    }
    return level;
  };

  const query = async (level: Level | undefined, text: string, params: readonly unknown[]): Promise<QueryResult> => {
    const { held } = check(level);
    // what a driver takes beside a text fails in it as if the ledger were away
    if (typeof text !== "string")
      throw misuse("a statement is no text.", "Pass its text, and its parameters as a list.");
    if (endsTransaction.test(text)) throw misuse("a statement would end it.", "Return to commit, throw to roll back.");
    if (level !== undefined) level.asked += 1;
    return held.query(text, params);
  };

  const levelOn = (held: Held, running = new Set<Name>()): Level => {
    return { held, depth: 0, running, open: true, asked: 0, answer: undefined, inside: undefined };
  };
  const txOf = (level: Level): PostgresTransaction => {
    const tx: PostgresTransaction = {
      query: (text, params = []) => {
        const answer = query(level, text, params).then(({ rows }) => rows);
        level.answer = answer;
        return answer;
      },
    };
    levels.set(tx, level);
    return tx;
  };
  const leave = (level: Level, tx: PostgresTransaction): void => {
    // what is written from here on must not be written outside of it
    level.open = false;
    // left to the collector, all that a transaction ever held would grow old with the map
    levels.delete(tx);
  };
  const enter = async <T>(level: Level, work: (session: Session<PostgresTransaction>) => Promise<T>): Promise<T> => {
    const tx = txOf(level);
    try {
      return await leaveWhole(level, work({ tx, run: level.held.run, running: level.running }), unawaited);
    } finally {
      leave(level, tx);
    }
  };
  /** Work whose value is the answer to its one statement has nothing left to send. */
  const begin = <T>(level: Level, work: (tx: PostgresTransaction) => Promise<T>) => {
    const tx = txOf(level);
    const value = work(tx);
    const isAll = level.asked === 1 && value === level.answer;
    // what something beside it sends is refused
    if (isAll) leave(level, tx);
    return { isAll, value: isAll ? value : leaveWhole(level, value, unawaited).finally(() => leave(level, tx)) };
  };

  return {
    bare: (doing, work) =>
      server.undecided(doing, [boundIdle], (held, decide) => {
        const { value, isAll } = begin(levelOn(held), work);
        decide(isAll ? "one statement" : "more");
        return value;
      }),
    runAll: (doing, opening, work) =>
      server.transaction(
        doing,
        opening,
        (held, answers) => {
          const level = levelOn(held);
          const turns: InTurn<PostgresTransaction> = (runs) =>
            inTurn(
              held,
              runs.map((run) => (gate) => begin(levelOn(gate, level.running), run)),
            );
          return enter(level, (session) => work(session, turns, answers));
        },
        // those that hold many rows would meet again
        {},
      ),
    run: (doing, opening, work, alone) =>
      server.transaction(
        doing,
        opening,
        (held, answers) => enter(levelOn(held), (session) => work(session, answers)),
        alone,
      ),
    query: (tx, text, params) => query(levels.get(tx), text, params),
    nest: async (tx, opening, work) => {
      const outer = check(levels.get(tx));
      outer.asked += 1;
      const inner = { ...outer, depth: outer.depth + 1, inside: undefined };
      return runInside(outer, () =>
        underSavepoint(server, inner, opening, (answers) => enter(inner, (session) => work(session, answers))),
      );
    },
  };
}

/** For what ends without a statement of ours, which would notice. */
const askOpen = [step(`select ${isOpen} as open`)];

interface MappedLevel extends Enclosing {
  readonly running: Set<Name>;
  depth: number;
  suspended: boolean;
  /** How long each of the user's statements may take; `undefined`: as long as the mapper lets it. */
  statementMs: number | undefined;
}

/** Transactions of a mapper: what is written with them shares their commit. Statements of ours go one by one. */
export function joinedTransactions<Tx>(server: PostgresServer, transactions: Transactions<Tx>): Transactor<Tx> {
  /** By the mapper's own object, which stands for one transaction until that ends. */
  const levels = new WeakMap<object, MappedLevel>();

  const heldOf = (tx: Tx, doing: string): Pick<Held, "run"> => ({
    run: async (steps) => {
      const answers: Answer[] = [];
      for (const one of steps) {
        try {
          const { rows, count } = await transactions.query(tx, server.textOf(one), one.params);
          answers.push({ rows, count, command: "" });
        } catch (error) {
          if (isConflict(error) || isOwnDuplicate(error)) throw error;
          if (isAborted(error))
            throw misuse("a statement before has failed, which ended it.", "Let its error pass.", error);
          if (isEnded(error)) {
            throw misuse(
              "the run has ended it: what it wrote may be committed, and its outcome is not kept.",
              "Return to commit, throw to roll back.",
              error,
            );
          }
          // it has nothing that a query could be sent by, or is the mapper itself, or has ended
          if (error instanceof TypeError || isOutside(error)) {
            throw misuse("this is no open transaction.", "Pass the mapper's own, before it ends.", error);
          }
          throw translate(error, server.ledger, doing, 0);
        }
      }
      return answers;
    },
  });
  const levelOf = (tx: Tx): MappedLevel => {
    if (typeof tx !== "object" && typeof tx !== "function")
      throw misuse("this is no transaction.", "Pass the mapper's.");
    const known = levels.get(tx as object) ?? {
      running: new Set<Name>(),
      depth: 0,
      inside: undefined,
      suspended: false,
      statementMs: undefined,
    };
    levels.set(tx as object, known);
    return known;
  };

  const run: Transactor<Tx>["run"] = (doing, opening, work, alone) => {
    const once = async () => {
      let phase: "before" | "work" | "commit" = "before";
      try {
        return await transactions.begin(async (tx) => {
          phase = "work";
          const { run } = heldOf(tx, doing);
          const level = levelOf(tx);
          const session = { tx, run, running: level.running };
          const opened = await run(opening);
          level.statementMs = alone?.statementMs;
          // a mapper may hand out one object for one transaction after the other
          const ending = await leaveWhole(level, work(session, opened), unawaited).finally(() => {
            level.statementMs = undefined;
          });
          if (ending.is === "rollback") return ending.value;
          const value = ending.value(await run(ending.steps.length === 0 ? askOpen : ending.steps));
          phase = "commit";
          return value;
        });
      } catch (error) {
        throw ofMapper(error, phase, server.ledger, doing);
      }
    };
    return server.elsewhere(doing, () => (alone === undefined ? server.repeating(once) : once()));
  };

  return {
    bare: (doing, work) => runAlone({ run }, doing, work),
    run,
    query: (tx, text, params) => {
      const { statementMs } = levelOf(tx);
      const sent = transactions.query(tx, text, params);
      return statementMs === undefined
        ? sent
        : withDeadline(systemClock, server.answersBy(statementMs), sent, () => {
            return new RepriseError("REPRISE_LEDGER_AWAY", { ledger: server.ledger, doing: "a statement of the work" });
          });
    },
    nest: async (tx, opening, work) => {
      const level = levelOf(tx);
      if (level.suspended) throw misuse("a run inside this transaction is under way.", "Await it before the next one.");
      level.suspended = true;
      level.depth += 1;
      const { depth } = level;
      const nested = async () => {
        try {
          const { run } = heldOf(tx, "join");
          return await underSavepoint(server, { held: { run }, depth }, opening, async (answers) => {
            level.suspended = false;
            return work({ tx, run, running: level.running }, answers);
          });
        } finally {
          level.suspended = false;
          level.depth -= 1;
        }
      };
      return level.inside === undefined ? runInside(level, nested) : nested();
    },
  };
}

/** What a mapper's `begin` rejected with: the work's own error, or its own. */
function ofMapper(error: unknown, phase: "before" | "work" | "commit", ledger: string, doing: string): unknown {
  if (isConflict(error) || isOwnDuplicate(error)) return error;
  if (isLoss(error)) return translate(error, ledger, phase === "commit" ? `${doing}, commit` : doing, 0);
  if (phase === "work") return error;
  // told at COMMIT by the database itself: it did not happen. Without such a code nobody knows
  if (phase === "commit" && sqlState(error) !== undefined) return error;
  return translate(error, ledger, phase === "commit" ? `${doing}, commit` : doing, 0);
}

async function underSavepoint<T>(
  server: PostgresServer,
  level: { readonly held: Pick<Held, "run">; readonly depth: number },
  opening: readonly Step[],
  work: (answers: readonly Answer[]) => Promise<Ending<T>>,
): Promise<T> {
  const { run } = level.held;
  const savepoint = `reprise_${level.depth}`;
  const undo = [step(`rollback to savepoint ${savepoint}`), step(`release savepoint ${savepoint}`)];
  let isSet = false;
  try {
    const [, ...answers] = await run([step(`savepoint ${savepoint}`), ...opening]);
    isSet = true;
    const ending = await work(answers);
    if (ending.is === "rollback") {
      await run(undo);
      return ending.value;
    }
    return ending.value(await run([...ending.steps, step(`release savepoint ${savepoint}`)]));
  } catch (error) {
    // where the savepoint was not even set, the caller's transaction is aborted as a whole
    if (isSet) await run(undo).catch(() => undefined);
    if (isConflict(error) || isOwnDuplicate(error)) {
      throw new RepriseError("REPRISE_RETRY_TRANSACTION", { ledger: server.ledger }, error);
    }
    throw error;
  }
}

const unawaited = () => misuse("its work ended before a run inside it.", "Await 'executeIn' and 'publishIn'.");

function misuse(why: string, mend: string, cause?: unknown): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", { where: "PostgreSQL transaction", why, mend }, cause);
}
