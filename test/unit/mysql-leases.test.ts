import { describe, expect, test } from "vitest";
import { newAttemptId } from "../../src/base/names.ts";
import { opened } from "./mysql-stand.ts";

const asked = (name: string) => ({ name, holder: "test", attempt: newAttemptId(), leaseMs: 30_000 });

describe("a lease on MariaDB", () => {
  test("whose answer was lost counts anew from the repetition", async () => {
    const { leases } = await opened();
    const request = { ...asked("a"), leaseMs: 60_000 };
    await leases?.acquire({ ...request, leaseMs: 5_000 });
    await leases?.acquire(request);
    expect((await leases?.look("a"))?.forMs).toBeGreaterThan(50_000);
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
