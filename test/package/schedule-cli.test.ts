import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `npx reprise schedule` as people have it: from the installed package, on a file that several processes share. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  // where the driver of SQLite is not Node's own
  link(installed, "libsql");
  installed.write(
    "jobs.mjs",
    `import { appendFileSync } from "node:fs";
     import { createReprise, unchecked } from "reprise"; import { sqliteLedger } from "reprise/sqlite";
     export const ledger = sqliteLedger({ path: "shop.db", busy: "20s" });
     export const reprise = createReprise({ service: "shop", owner: "crm", ledger });
     const enrich = reprise.operation({
       name: "customer.enrich", input: unchecked(), principal: "everyone", identity: ({ id }) => [id],
       ifRunsAgain: "replays", costIfTwice: "money", retention: "90d", effects: "external",
       run: async ({ input, pinned }) => {
         const price = await pinned("price", () => { appendFileSync("bills.txt", input.id + "\\n"); return Math.random(); });
         if (process.env.SLOW) await new Promise((later) => setTimeout(later, 300));
         if (process.env.BROKEN === input.id) throw new Error("no such customer");
         return { price };
       } });
     const answers = { ifStillRunning: "walk-away", ifMissed: "skip", costIfTwice: "money", retention: "90d" };
     reprise.schedule({ ...answers, name: "customers.enrich", at: "0 3 * * *", timeZone: "Europe/Berlin", atOnce: 1,
       work: () => ["ann", "bea", "cyd", "dee", "eva", "fay"].map((id) => ({ id })), each: enrich });
     reprise.schedule({ ...answers, name: "noisy", every: "1s", ifMissed: { run: "latest", within: "1d" },
       run: () => appendFileSync("bills.txt", "a due tick was run\\n") });`,
  );
  installed.write(
    "held.mjs",
    `import { ledger } from "./jobs.mjs";
     await ledger.open();
     await ledger.leases.acquire({ name: "schedule/shop/customers.enrich", holder: "worker-2", attempt: "another", leaseMs: 60_000 });
     await ledger.close();`,
  );
});
afterAll(() => installed.remove());
beforeEach(() => {
  for (const name of ["shop.db", "shop.db-wal", "shop.db-shm", "bills.txt"]) {
    rmSync(join(installed.folder, name), { force: true });
  }
});

const schedule = (...args: readonly string[]) => runCommand(installed, ["schedule", ...args]);
const bills = () => {
  const file = join(installed.folder, "bills.txt");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};
const run = ["run", "jobs.mjs", "customers.enrich"] as const;

test("a tick is run by hand, its rerun bills nobody again, and no due tick of another schedule is run", async () => {
  const first = await schedule(...run, "--json");
  expect(first).toMatchObject({ code: 0, err: "" });
  const tick = JSON.parse(first.out);
  expect(tick).toMatchObject({ schedule: "customers.enrich", is: "ran", counts: { records: 6, ran: 6 } });
  expect(new Date(tick.at).toLocaleTimeString("sv-SE", { timeZone: "Europe/Berlin" })).toBe("03:00:00");
  const again = await schedule(...run);
  expect(again.code).toBe(0);
  expect(again.out).toMatch(/03:00:00 Europe\/Berlin {2}ran/);
  expect(bills()).toEqual(["ann", "bea", "cyd", "dee", "eva", "fay"]);

  const listed = await schedule("list", "jobs.mjs", "customers.enrich");
  expect(listed.out).toMatch(
    /^customers\.enrich {2}0 3 \* \* \* {2}Europe\/Berlin {2}crm\n {2}next .* 03:00:00 Europe\/Berlin\n/,
  );
  expect(listed.out).toMatch(/kept +1 ran\n/);
  const all = JSON.parse((await schedule("list", "jobs.mjs", "--json")).out) as { schedules: { name: string }[] };
  expect(all.schedules.map(({ name }) => name)).toEqual(["customers.enrich", "noisy"]);
});

test("a tick whose records do not all end is told with exit code 1, and a rerun tries those alone", async () => {
  process.env["BROKEN"] = "cyd";
  const broken = await schedule(...run);
  delete process.env["BROKEN"];
  expect(broken.code).toBe(1);
  expect(broken.out).toMatch(/1 of 6 records did not end\n +6 records: 5 ran, 1 failed/);
  expect(bills()).toHaveLength(6);
});

test("a tick that left a record to whoever is at it is told with exit code 1", async () => {
  installed.write(
    "twins.mjs",
    `import { createReprise, unchecked } from "reprise"; import { memoryLedger } from "reprise/memory";
     export const reprise = createReprise({ service: "twins", owner: "crm", ledger: memoryLedger() });
     const enrich = reprise.operation({
       name: "enrich", input: unchecked(), principal: "everyone", identity: ({ id }) => [id],
       ifRunsAgain: "replays", costIfTwice: "money", retention: "1d", effects: "external",
       run: () => new Promise((later) => setTimeout(later, 3_000, "done")) });
     reprise.schedule({ name: "twins", every: "1d", ifStillRunning: "walk-away", ifMissed: "skip", costIfTwice: "money",
       retention: "1d", lease: "1s", work: () => [{ id: "ann" }, { id: "ann" }], each: enrich });`,
  );
  const { code, out } = await schedule("run", "twins.mjs", "twins", "--json");
  expect(JSON.parse(out)).toMatchObject({ is: "ran", counts: { ran: 1, running: 1 } });
  expect(code).toBe(1);
});

test("a tick that another process runs is told with exit code 1, and nothing is run", async () => {
  await installed.node(["held.mjs"]);
  const { code, out } = await schedule(...run);
  expect(code).toBe(1);
  expect(out).toMatch(/runs a tick at worker-2: nothing was run/);
  expect(JSON.parse((await schedule(...run, "--json")).out)).toMatchObject({ is: "held", holder: "worker-2" });
});

test("a tick of an instant that is named is that one; what is none is told with exit code 2", async () => {
  const named = await schedule(...run, "--at", "2026-03-29T03:00:00+02:00", "--json");
  expect(JSON.parse(named.out)).toMatchObject({ at: Date.parse("2026-03-29T01:00:00Z"), is: "ran" });
  const none = await schedule(...run, "--at", "2026-03-29T02:30:00+02:00");
  expect([none.code, none.out]).toEqual([2, ""]);
  expect(none.err).toMatch(/no instant that it names/);
  const zoneless = await schedule(...run, "--at", "2026-03-29 03:00");
  expect([zoneless.code, zoneless.out]).toEqual([2, ""]);
  expect(zoneless.err).toMatch(/an instant with its zone/);
});

test("the next ticks are told in the schedule's zone and in UTC", async () => {
  const { code, out } = await schedule("next", "jobs.mjs", "customers.enrich", "--count", "3");
  expect(code).toBe(0);
  expect(out.trim().split("\n")).toHaveLength(3);
  expect(out).toMatch(/^\d{4}-\d\d-\d\d 03:00:00 Europe\/Berlin {2}\(\d{4}-\d\d-\d\d 0[12]:00:00 UTC\)\n/);
  const { next, timeZone } = JSON.parse((await schedule("next", "jobs.mjs", "noisy", "--json")).out);
  expect([next.length, timeZone]).toEqual([1, null]);
});

test("a pause is kept with who and why, shown to everybody, may be said twice, and is ended", async () => {
  const paused = await schedule("pause", "jobs.mjs", "customers.enrich", "--who", "ann", "--why", "the API is down");
  expect(paused).toMatchObject({ code: 0, err: "" });
  expect(paused.out).toMatch(/paused by ann since .*: the API is down/);
  const again = await schedule("pause", "jobs.mjs", "customers.enrich", "--who", "bea", "--why", "x", "--json");
  expect([again.code, again.err]).toEqual([0, "It was paused already.\n"]);
  expect(JSON.parse(again.out)).toMatchObject({ changed: false, paused: { who: "ann", why: "the API is down" } });
  const resumed = await schedule(
    "resume",
    "jobs.mjs",
    "customers.enrich",
    "--who",
    "ann",
    "--why",
    "it is back",
    "--json",
  );
  expect(JSON.parse(resumed.out)).toMatchObject({ changed: true, paused: null });
  for (const [args, words] of [
    [["--why", " "], /Say why/],
    [["--why", "x", "--who", ""], /Nobody knows who decides/],
    [[], /required option '--why <text>'/],
  ] as const) {
    const ended = await schedule("pause", "jobs.mjs", "customers.enrich", ...args);
    expect([ended.code, ended.out]).toEqual([2, ""]);
    expect(ended.err).toMatch(words);
  }
});

test("Ctrl-C begins no further record, and whoever runs the tick next bills nobody again", async () => {
  const command = join(installed.folder, "node_modules/reprise/dist/cli.mjs");
  const child = spawn(process.execPath, [command, "schedule", ...run], {
    ...{ cwd: installed.folder, timeout: 30_000, detached: true },
    env: { ...process.env, NO_COLOR: "1", SLOW: "yes" },
  });
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  await expect.poll(() => bills().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
  process.kill(-Number(child.pid), "SIGINT");
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  expect([code, err]).toEqual([130, expect.stringMatching(/Begins nothing further.*\n.*Stopped\./)]);
  const done = bills().length;
  expect(done).toBeLessThan(6);
  const rest = await schedule(...run, "--json");
  expect(JSON.parse(rest.out)).toMatchObject({ is: "ran", counts: { records: 6, ran: 6 - done, replayed: done } });
  expect(bills()).toEqual(["ann", "bea", "cyd", "dee", "eva", "fay"]);
});
