import { describe, expect, test } from "vitest";
import { newAttemptId } from "../../src/base/names.ts";
import { doesNotApply } from "../support/environment.ts";
import { database, opened } from "./mysql-stand.ts";

const asked = (name: string) => ({ name, holder: "test", attempt: newAttemptId(), leaseMs: 30_000 });

describe("a lease on MariaDB", () => {
  test("whose answer was lost counts anew from the repetition", async () => {
    const { leases } = await opened();
    const request = { ...asked("a"), leaseMs: 60_000 };
    await leases?.acquire({ ...request, leaseMs: 5_000 });
    await leases?.acquire(request);
    expect((await leases?.look("a"))?.forMs).toBeGreaterThan(50_000);
  });

  test("renewed since a transaction's snapshot is no conflict to its check, where the server refuses to lock what has changed", async (context) => {
    const [setting] = await database.query("show variables like 'innodb_snapshot_isolation'");
    if (setting === undefined) context.skip(`${doesNotApply}this server locks what has changed`);
    // as MariaDB has it by default from 11.6.2 on
    const pool = database.pool({ connectionLimit: 4 });
    pool.on("connection", (connection) => connection.query("set innodb_snapshot_isolation = on"));
    const { leases, transaction } = await opened({ pool });
    const request = asked("renewed");
    const answer = await leases?.acquire(request);
    if (answer?.is !== "acquired") throw new Error("held");
    const grip = { name: request.name, attempt: request.attempt, token: answer.token };
    let runs = 0;
    const checked = await transaction(async (tx) => {
      runs += 1;
      await tx.query("select count(*) from booking");
      // three heartbeats at most, so that a transaction that they undo ends
      if (runs <= 3) await leases?.renew(grip, 30_000);
      return leases?.check?.(tx, grip);
    });
    expect([checked, runs]).toEqual([true, 1]);
  });

  test("of a longer name than the index takes is refused, and not another's by a cut", async () => {
    const { leases, registers } = await opened();
    const name = "😀".repeat(256);
    const refused = { code: "REPRISE_BAD_DECLARATION" };
    await expect(leases?.acquire(asked(name))).rejects.toMatchObject(refused);
    await expect(registers?.replace(name, "value", null)).rejects.toMatchObject(refused);
    expect((await leases?.acquire(asked("😀".repeat(255))))?.is).toBe("acquired");
  });
});

test("a register that a transaction writes beside business rows goes with it", async () => {
  const { registers, transaction } = await opened();
  const failing = transaction(async (tx) => {
    await tx.query("insert into booking values ('a')");
    await registers?.replaceIn?.(tx, "progress", "1", null);
    // the key is there already: the statement is undone alone, and the transaction goes on
    expect(await registers?.replaceIn?.(tx, "progress", "2", null)).toBeNull();
    expect(await tx.query("select identity from booking")).toEqual([{ identity: "a" }]);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await registers?.read("progress")).toBeNull();
});
