import assert from "node:assert/strict";
import type { TransactionsDialect, TransactionsStage } from "./transactions-adapter.ts";
import {
  alone,
  column,
  cut,
  gate,
  identities,
  rejectsWith,
  type Table,
  type TransactionsScenario,
} from "./transactions-kit.ts";

/** Two transactions that lock a row each, then want the other's. */
async function crossed<Tx>({ transactions: { begin, query } }: TransactionsStage<Tx>, { name }: Table) {
  const [first, second] = [gate(), gate()];
  const locking = (mine: string, other: string, locked: typeof first, awaited: typeof first) =>
    begin(async (tx) => {
      await query(tx, `update ${name} set number = number + 1 where identity = '${mine}'`, []);
      locked.open();
      await awaited.opened;
      await query(tx, `update ${name} set number = number + 1 where identity = '${other}'`, []);
    });
  return Promise.allSettled([locking("a", "b", first, second), locking("b", "a", second, first)]);
}

/** The connection of a transaction that has written is cut, then the work goes on to `end`. */
async function cutBefore<Tx>(
  stage: TransactionsStage<Tx>,
  table: Table,
  dialect: TransactionsDialect,
  end: () => string,
): Promise<string> {
  const { begin, query } = stage.transactions;
  return begin(async (tx) => {
    await query(tx, table.insert, ["lost", 1]);
    const [id] = column(await query(tx, table.idOfBackend, []), "id");
    await cut(stage, dialect, Number(id));
    return end();
  });
}

const dialectOf = (table: Table): TransactionsDialect => (table.codes.duplicate === 1062 ? "mysql" : "postgres");

export const failureScenarios: readonly TransactionsScenario[] = [
  {
    name: "what the work throws rolls back, and comes out as the same object",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      for (const thrown of [new Error("no"), Object.freeze({ no: "error" }), "text", undefined]) {
        const failing = begin(async (tx) => {
          await query(tx, table.insert, ["a", 1]);
          throw thrown;
        });
        const [settled] = await Promise.allSettled([failing]);
        assert.ok(settled.status === "rejected" && settled.reason === thrown);
      }
      assert.deepEqual(await identities(stage, table), []);
    },
  },
  {
    name: "a failed query rejects with the database's own error, its code at the error itself",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      await alone(stage, table.insert, ["a", 1]);
      await begin(async (tx) => {
        await rejectsWith(query(tx, table.insert, ["a", 2]), table.codes.duplicate);
        throw new Error("enough");
      }).catch((error: unknown) => assert.equal((error as Error).message, "enough"));
      await rejectsWith(alone(stage, table.insert, ["a", 2]), table.codes.duplicate);
      assert.deepEqual(await identities(stage, table), ["a"]);
    },
  },
  {
    name: "what the mapper's own handle throws passes through unchanged, and the database's error is found in it",
    run: async (stage, table) => {
      await alone(stage, table.insert, ["a", 1]);
      let thrown: unknown = null;
      const failing = stage.transactions.begin(async (tx) => {
        await stage.transactions.query(tx, table.insert, ["b", 1]);
        try {
          await stage.own(tx, `insert into ${table.name} (identity, number) values ('a', 2)`);
        } catch (error) {
          thrown = error;
          throw error;
        }
      });
      await assert.rejects(failing, (error: unknown) => error === thrown && error !== null);
      assert.equal(table.codeOf(thrown), table.codes.duplicate);
      assert.deepEqual(await identities(stage, table), ["a"]);
    },
  },
  {
    name: "a transaction that has ended takes no query any more",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      const committed = await begin(async (tx) => ({ tx }));
      await assert.rejects(query(committed.tx, table.insert, ["late", 1]));
      let rolledBack: typeof committed | null = null;
      await begin(async (tx) => {
        rolledBack = { tx };
        throw new Error("no");
      }).catch(() => undefined);
      assert.ok(rolledBack !== null);
      await assert.rejects(query((rolledBack as typeof committed).tx, table.insert, ["late", 1]));
      assert.deepEqual(await identities(stage, table), []);
    },
  },
  {
    name: "a deadlock ends one of the two with its code, and the other commits",
    run: async (stage, table) => {
      for (const identity of ["a", "b"]) await alone(stage, table.insert, [identity, 1]);
      const settled = await crossed(stage, table);
      const rejected = settled.filter(({ status }) => status === "rejected");
      assert.equal(rejected.length, 1);
      await rejectsWith(Promise.reject((rejected[0] as PromiseRejectedResult).reason), table.codes.deadlock);
      const { rows } = await alone(stage, `select number from ${table.name}`);
      assert.deepEqual(rows, [{ number: 2 }, { number: 2 }]);
    },
  },
  {
    name: "under serializable, a query whose snapshot is outdated rejects with 40001",
    only: "postgres",
    run: async (stage, table) => {
      const { begin, query } = stage.serializable;
      await alone(stage, table.insert, ["a", 1]);
      const outdated = begin(async (tx) => {
        await query(tx, `select * from ${table.name}`, []);
        await alone(stage, `update ${table.name} set number = 2`);
        await rejectsWith(query(tx, `update ${table.name} set number = 3`, []), "40001");
        throw new Error("enough");
      });
      await assert.rejects(outdated, { message: "enough" });
      assert.deepEqual((await alone(stage, `select number from ${table.name}`)).rows, [{ number: 2 }]);
    },
  },
  {
    name: "under serializable, a commit that would make a write skew rejects with 40001, and nothing of it stays",
    only: "postgres",
    run: async (stage, table) => {
      const { begin, query } = stage.serializable;
      for (const identity of ["a", "b"]) await alone(stage, table.insert, [identity, 1]);
      const [bothWrote, firstCommitted] = [gate(), gate()];
      const leave = async (tx: Parameters<typeof query>[0], identity: string) => {
        assert.equal((await query(tx, `select identity from ${table.name} where number = 1`, [])).count, 2);
        await query(tx, `update ${table.name} set number = 0 where identity = $1`, [identity]);
      };
      const second = begin(async (tx) => {
        await leave(tx, "b");
        bothWrote.open();
        await firstCommitted.opened;
      });
      const expected = rejectsWith(second, "40001");
      await begin(async (tx) => {
        await leave(tx, "a");
        await bothWrote.opened;
      });
      firstCommitted.open();
      await expected;
      assert.deepEqual((await alone(stage, `select identity, number from ${table.name} order by identity`)).rows, [
        { identity: "a", number: 0 },
        { identity: "b", number: 1 },
      ]);
    },
  },
  {
    name: "a commit that a constraint refuses rejects with its code, and nothing stays",
    only: "postgres",
    run: async (stage, table) => {
      await alone(stage, `alter table ${table.name} add unique (number) deferrable initially deferred`);
      const { begin, query } = stage.transactions;
      const failing = begin(async (tx) => {
        await query(tx, table.insert, ["a", 1]);
        await query(tx, table.insert, ["b", 1]);
      });
      await rejectsWith(failing, "23505");
      assert.deepEqual(await identities(stage, table), []);
    },
  },
  {
    name: "a commit in doubt rejects: the connection was cut before it",
    run: async (stage, table) => {
      const doubtful = cutBefore(stage, table, dialectOf(table), () => "committed");
      await assert.rejects(doubtful, (error: unknown) => error instanceof Error);
      assert.deepEqual(await identities(stage, table), []);
    },
  },
  {
    name: "a connection lost while the work goes on: its queries reject, and when it has ended the transaction does",
    needs: ["lostConnections"],
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      let hasEnded = false;
      const losing = begin(async (tx) => {
        const [id] = column(await query(tx, table.idOfBackend, []), "id");
        await cut(stage, dialectOf(table), Number(id));
        await assert.rejects(query(tx, table.insert, ["lost", 1]));
        // the loss is known by now: what is sent from here on meets a closed socket
        await new Promise((resolve) => setImmediate(resolve));
        await assert.rejects(query(tx, table.insert, ["lost", 1]));
        hasEnded = true;
      });
      await assert.rejects(losing, (error: unknown) => error instanceof Error && hasEnded);
      assert.deepEqual(await identities(stage, table), []);
    },
  },
  {
    name: "what the work throws comes out as the same object though the rollback fails too",
    run: async (stage, table) => {
      const thrown = new Error("no");
      const failing = cutBefore(stage, table, dialectOf(table), () => {
        throw thrown;
      });
      await assert.rejects(failing, (error: unknown) => error === thrown);
      assert.deepEqual(await identities(stage, table), []);
    },
  },
  {
    name: "work that swallowed a failed statement cannot end with a query of its own: 25P02, and nothing stays",
    only: "postgres",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      const swallowing = begin(async (tx) => {
        await query(tx, table.insert, ["a", 1]);
        await query(tx, table.insert, ["a", 2]).catch(() => undefined);
        await query(tx, table.insert, ["b", 2]);
      });
      await rejectsWith(swallowing, "25P02");
      assert.deepEqual(await identities(stage, table), []);
    },
  },
];
