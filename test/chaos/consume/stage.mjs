// A queue and a schema of its own for a run, and how a run tells what it found.
import { randomUUID } from "node:crypto";
import pg from "pg";
import { openBroker } from "./brokers.mjs";

const connectionString = process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test";

/** @param lockMs how long a message is kept from others, where the broker is told; left out: as crashes are waited for */
export async function openStage(broker, lockMs) {
  const on = await openBroker(broker);
  const id = randomUUID().slice(0, 8);
  const [name, schema] = [`crash-${id}`, `crash_${id}`];
  const pool = new pg.Pool({ connectionString, max: 8 });
  await pool.query(`create schema ${schema}`);
  await pool.query(`create table ${schema}.booking (reference text)`);
  const queue = await on.create(name, lockMs);
  return {
    ...{ name, schema, pool, queue },
    source: on.source(name, lockMs),
    /** Resolves when that holds and nothing is left in the queue. */
    untilEmpty: async (isDone) => {
      const until = performance.now() + 240_000;
      while (!((await isDone()) && (await queue.left()) === 0)) {
        if (performance.now() > until) throw new Error("messages are left in the queue");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    counted: async () => {
      const { rows } = await pool.query(
        `select reference, count(*)::int as n from ${schema}.booking group by reference`,
      );
      return new Map(rows.map(({ reference, n }) => [reference, n]));
    },
    drop: async () => {
      await queue.drop();
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    },
    /** Ends the process: with 1 where it does not hold. */
    tell: (result, holds, json) => {
      if (json) process.stdout.write(`${JSON.stringify({ ...result, holds })}\n`);
      else {
        for (const [key, value] of Object.entries(result)) process.stdout.write(`${key.padEnd(12)} ${value}\n`);
        process.stdout.write(holds ? "It holds.\n" : "It does not hold.\n");
      }
      process.exit(holds ? 0 : 1);
    },
  };
}
