import { describe, expect, test } from "vitest";
import type { Ledger } from "../../src/index.ts";
import { type IoredisClient, redisLedger } from "../../src/stores/redis/index.ts";
import { claimed, work } from "../../src/testing/ledger-kit.ts";
import { held, newPrefix, redis, until } from "./redis-stand.ts";

describe("a key, between the script that names its work and the one that lists it there", () => {
  const stage = () => {
    const prefix = newPrefix();
    const over = (client: IoredisClient, deadline: "100ms" | "20s" = "20s"): Ledger<never> =>
      redisLedger({ client, prefix, deadline });
    return { over, ledger: over(redis) };
  };

  test("another's claim under it waits, and is told the mismatch that it is", async () => {
    const { over, ledger } = stage();
    const owner = held(redis, /:work:/);
    const first = over(owner.client).claim(work("a", { key: "k" }));
    await owner.arrived;
    const looked = held(redis, /:work:/);
    const second = over(looked.client).claim(work("b", { key: "k" }));
    // the second looks at the first's work, which does not list the key yet
    await looked.arrived;
    looked.letGo();
    owner.letGo();
    expect([(await first).is, (await second).is]).toEqual(["won", "mismatch"]);
    expect(await ledger.find(work("b"))).toBeNull();
  });

  test("a claim that stops there holds it for the reservation, and what it sends later claims nothing", async () => {
    const { over, ledger } = stage();
    await ledger.open();
    const owner = held(redis, /:work:/);
    const first = over(owner.client, "100ms")
      .claim(work("a", { key: "k" }))
      .catch((error: unknown) => error);
    await owner.arrived;
    const other = over(redis, "100ms");
    expect((await other.claim(work("b", { key: "k" }))).is).toBe("running");
    expect(await first).toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    await until(async () => (await other.claim(work("b", { key: "k" }))).is === "won");
    owner.letGo();
    await owner.answered;
    expect(await ledger.find(work("a"))).toBeNull();
    expect((await ledger.claim(work("a", { key: "k" }))).is).toBe("mismatch");
  });

  test("a mismatch frees it for nobody while another claim of that work is on its way to list it", async () => {
    const { over, ledger } = stage();
    await claimed(ledger, "a");
    const further = held(redis, /:work:/);
    const listing = over(further.client).claim(work("a", { key: "k" }));
    await further.arrived;
    expect((await ledger.claim(work("a", { key: "k", payload: "other" }))).is).toBe("mismatch");
    const looked = held(redis, /:work:/);
    const other = over(looked.client).claim(work("b", { key: "k" }));
    await looked.arrived;
    looked.letGo();
    further.letGo();
    expect([(await listing).is, (await other).is]).toEqual(["running", "mismatch"]);
  });

  test("a release frees it for nobody while another claim of that work is on its way to list it", async () => {
    const { over, ledger } = stage();
    const duplicate = held(redis, /:work:/);
    const listing = over(duplicate.client).claim(work("a", { key: "k" }));
    await duplicate.arrived;
    const { fence } = await claimed(ledger, "a", { key: "k" });
    expect(await ledger.release(fence, { keep: false, notBeforeMs: 0, error: null })).toBe("released");
    const looked = held(redis, /:work:/);
    const other = over(looked.client).claim(work("b", { key: "k" }));
    await looked.arrived;
    looked.letGo();
    duplicate.letGo();
    expect([(await listing).is, (await other).is]).toEqual(["won", "mismatch"]);
  });
});
