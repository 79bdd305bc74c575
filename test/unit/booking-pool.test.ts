import { afterEach, describe, expect, it } from "vitest";
import { type DatabasePool, openDatabasePool } from "../../examples/booking/src/database/pool.ts";

/**
 * A thread that keeps the worker's protocol and has no database: "hold" is answered only when another connection is told
 * "release", "die" ends it, and anything else is answered with itself.
 */
const worker = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from "node:worker_threads";
    import { BroadcastChannel } from "node:worker_threads";
    if (workerData.path === "missing") throw new Error("no such database");
    const releases = new BroadcastChannel(workerData.path);
    let held = false;
    let closing = false;
    const end = () => { releases.close(); parentPort.close(); };
    releases.onmessage = () => {
      if (!held) return;
      held = false;
      parentPort.postMessage({ rows: [{ sql: "hold" }] });
      if (closing) end();
    };
    parentPort.on("message", (job) => {
      if (job === "close") { closing = true; if (!held) end(); return; }
      if (job.sql === "die") process.exit(3);
      if (job.sql === "hold") { held = true; return; }
      if (job.sql === "release") releases.postMessage("release");
      if (job.sql === "wrong") return parentPort.postMessage({ failed: "wrong statement" });
      parentPort.postMessage({ rows: [{ sql: job.sql }] });
    });
    parentPort.postMessage("ready");
  `)}`,
);

let pools: DatabasePool[] = [];
let opened = 0;
async function open(connections: number, waitMs = 20_000): Promise<DatabasePool> {
  opened += 1;
  const pool = await openDatabasePool({ path: `pool-${process.pid}-${opened}`, connections, waitMs, worker });
  pools.push(pool);
  return pool;
}

afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
});

describe("the platform's pool of database threads", () => {
  it("answers with the rows, and rejects with what the statement failed with", async () => {
    const pool = await open(1);
    expect(await pool.query("one")).toEqual([{ sql: "one" }]);
    await expect(pool.query("wrong")).rejects.toThrow("wrong statement");
  });

  it("gives up a query that found no free connection in time, and not one that has its connection", async () => {
    const pool = await open(2, 30);
    const [first, second] = [pool.query("hold"), pool.query("hold")];
    await expect(pool.query("late")).rejects.toMatchObject({ name: "DatabaseBusyError", statusCode: 503 });
    const other = await openDatabasePool({ path: `pool-${process.pid}-${opened}`, connections: 1, waitMs: 30, worker });
    pools.push(other);
    await other.query("release");
    expect([await first, await second]).toEqual([[{ sql: "hold" }], [{ sql: "hold" }]]);
    expect(await pool.query("after")).toEqual([{ sql: "after" }]);
  });

  it("rejects with the signal's reason whether a query waits or runs, and the connection serves on", async () => {
    const pool = await open(2);
    const controller = new AbortController();
    const { signal } = controller;
    const running = pool.query("hold", [], { signal });
    const other = pool.query("hold");
    const waiting = pool.query("waits", [], { signal });
    const reason = new Error("the visitor left");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(pool.query("too late", [], { signal })).rejects.toBe(reason);
    const releaser = await openDatabasePool({
      path: `pool-${process.pid}-${opened}`,
      connections: 1,
      waitMs: 30,
      worker,
    });
    pools.push(releaser);
    await releaser.query("release");
    await other;
    expect(await pool.query("after")).toEqual([{ sql: "after" }]);
  });

  it("fails the query of a thread that dies, and goes on without that thread", async () => {
    const pool = await open(2);
    await expect(pool.query("die")).rejects.toThrow("has ended");
    expect(await pool.query("after")).toEqual([{ sql: "after" }]);
    expect(await pool.query("and again")).toEqual([{ sql: "and again" }]);
  });

  it("closes when threads have died, and refuses what comes later", async () => {
    const pool = await open(2);
    await Promise.allSettled([pool.query("die"), pool.query("die")]);
    const waiting = expect(pool.query("nobody is left")).rejects.toThrow("closing");
    await pool.close();
    await waiting;
    await expect(pool.query("later")).rejects.toThrow("closed");
  });

  it("fails to open when a thread cannot open its database", async () => {
    const opening = openDatabasePool({ path: "missing", connections: 2, waitMs: 10, worker });
    await expect(opening).rejects.toThrow("has ended");
  });
});
