import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `npx reprise load` as cron and people have it: from the installed package, on a file that several processes share. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  // where the driver of SQLite is not Node's own
  link(installed, "libsql");
  installed.write(
    "jobs.mjs",
    `import { createReprise } from "reprise"; import { sqliteLedger } from "reprise/sqlite";
     export const ledger = sqliteLedger({ path: "shop.db", busy: "20s" });
     export const reprise = createReprise({ service: "shop", owner: "reporting", ledger });
     const load = (name, windows) => reprise.load({
       name, ifRunsAgain: "converges", from: "staging", into: "fact", identity: ["ref", "day"], newer: "version",
       ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep", windows: { by: "day", each: windows } });
     load("sales.fact", "1mo");
     load("sales.daily", "1d");
     reprise.schedule({ name: "never", every: "1s", ifStillRunning: "walk-away", ifMissed: { run: "latest", within: "1d" },
       costIfTwice: "nothing", retention: "1d", run: () => { throw new Error("a due tick was run"); } });`,
  );
  installed.write(
    "do.mjs",
    `import { ledger } from "./jobs.mjs";
     await ledger.open();
     const query = (text, params = []) => ledger.transaction((tx) => tx.query(text, params));
     await (${String(prepare)})(query, ledger, process.argv.slice(2));
     await ledger.close();`,
  );
});
afterAll(() => installed.remove());
beforeEach(() => does("tables"));

type Query = (text: string, params?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;
interface Leases {
  readonly leases: { readonly acquire: (request: object) => Promise<unknown> };
}

/** In a process of its own, with the module's ledger. */
async function prepare(query: Query, ledger: Leases, [what, ...words]: readonly string[]): Promise<void> {
  if (what === "tables") {
    for (const statement of [
      "drop table if exists staging",
      "drop table if exists fact",
      "delete from reprise_register",
      "delete from reprise_lease",
      "create table staging (ref text, day text, version integer, amount text)",
      "create table fact (ref text not null, day text not null, version integer not null, amount text, unique (ref, day))",
    ]) {
      await query(statement);
    }
    // two rows a day, 150 days: five months
    await query(
      "with recursive n (n) as (select 0 union all select n + 1 from n where n < 299) insert into staging select 'r' || n, date('2026-01-01', '+' || (n / 2) || ' days'), 1, 'amount ' || n from n",
    );
  }
  if (what === "held") {
    await ledger.leases.acquire({ name: "load/shop/sales.fact", holder: "web-1", attempt: "another", leaseMs: 60_000 });
  }
  for (const statement of what === "run" ? words : []) console.log(JSON.stringify(await query(statement)));
}

const does = (...args: readonly string[]) => installed.node(["do.mjs", ...args]);
const load = (...args: readonly string[]) => runCommand(installed, ["load", ...args]);
const counted = async (): Promise<number> => {
  const [row] = JSON.parse(await does("run", "select count(*) as n from fact")) as [{ n: number }];
  return row.n;
};

test("a preview tells what a run does, the run does it, and a rerun writes nothing", async () => {
  const preview = await load("preview", "jobs.mjs", "sales.fact");
  expect(preview).toMatchObject({ code: 0, err: "" });
  expect(preview.out).toMatch(/nothing was written\n {2}read +300\n {2}inserted +300\n/);
  expect(await counted()).toBe(0);

  const first = await load("run", "jobs.mjs", "sales.fact", "--json");
  expect(first).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(first.out)).toMatchObject({
    ...{ load: "sales.fact", status: "done", run: "sales.fact#1", read: 300, inserted: 300 },
    windows: { done: 5, skipped: 0, of: 5 },
  });
  const again = await load("run", "jobs.mjs", "sales.fact");
  expect(again).toMatchObject({ code: 0, err: "" });
  expect(again.out).toMatch(
    /done, run sales\.fact#2: 5 windows\n {2}read +300\n {2}inserted +0\n {2}updated +0\n {2}unchanged +300\n/,
  );

  const listed = await load("list", "jobs.mjs", "sales.fact");
  expect(listed.out).toMatch(
    /^sales\.fact#2 {2}done {2}all of it {2}5 windows .*\n.*300 read: 300 unchanged\nsales\.fact#1 /,
  );
  const windows = await load("list", "jobs.mjs", "sales.fact", "--run", "sales.fact#1");
  expect(windows.out).toMatch(/from 2026-02-01 before 2026-03-01 +done {2}56 read: 56 inserted/);
  const all = JSON.parse((await load("list", "jobs.mjs", "--json")).out) as {
    loads: { name: string; newest: unknown }[];
  };
  expect(all.loads.map(({ name }) => name)).toEqual(["sales.fact", "sales.daily"]);
  expect(all.loads[1]?.newest).toBeNull();
});

test("a range has the months it names, and a bound that is none is told with exit code 2", async () => {
  const run = await load("run", "jobs.mjs", "sales.fact", "--from", "2026-02", "--to", "2026-04", "--json");
  expect(JSON.parse(run.out)).toMatchObject({ read: 118, inserted: 118, windows: { of: 2 } });
  const wrong = await load("run", "jobs.mjs", "sales.fact", "--from", "2026-13");
  expect([wrong.code, wrong.out]).toEqual([2, ""]);
  expect(wrong.err).toMatch(/'from' is no month, day, instant or whole number/);
});

test("what an orchestrator has named is the same run for ever", async () => {
  const run = () => load("run", "jobs.mjs", "sales.fact", "--run", "2026-06-01", "--json");
  expect(JSON.parse((await run()).out)).toMatchObject({ run: "2026-06-01", inserted: 300, windows: { done: 5 } });
  expect(JSON.parse((await run()).out)).toMatchObject({ inserted: 300, windows: { done: 0, skipped: 5 } });
});

test.each([
  ["--module", ["run", "sales.fact", "--from", "2026-05", "--module", "jobs.mjs"], undefined],
  ["REPRISE_MODULE", ["run", "sales.fact", "--from", "2026-05"], "jobs.mjs"],
] as const)("a load is run by its name alone where %s says where it is declared", async (_, args, module) => {
  vi.stubEnv("REPRISE_MODULE", module);
  const { code, out } = await load(...args);
  vi.unstubAllEnvs();
  expect(code).toBe(0);
  expect(out).toMatch(/^sales\.fact {2}done/);
});

test("package.json may say where jobs are declared; where nothing does, it is told how", async () => {
  const nowhere = await load("run", "sales.fact", "--from", "2026-05");
  expect([nowhere.code, nowhere.out]).toEqual([2, ""]);
  expect(nowhere.err).toMatch(/no file 'sales\.fact'.*--module dist\/jobs\.mjs.*REPRISE_MODULE.*package\.json/);
  const before = { name: "consumer", private: true, type: "module" };
  installed.write("package.json", JSON.stringify({ ...before, reprise: { module: "./jobs.mjs" } }));
  const found = await load("run", "sales.fact", "--from", "2026-05");
  installed.write("package.json", JSON.stringify(before));
  expect(found.code).toBe(0);
});

test("a table without its key is refused with exit code 1, the query that shows duplicates and the statements that mend it", async () => {
  await does(
    "run",
    "drop table fact",
    "create table fact (ref text not null, day text not null, version integer not null, amount text)",
  );
  const { code, out } = await load("run", "jobs.mjs", "sales.fact");
  expect(code).toBe(1);
  expect(out).toMatch(/refused: nothing was written/);
  expect(out).toMatch(/The rows in question:\n +select .*\n? *.*having count\(\*\) > 1/);
  expect(out).toMatch(/What mends it.*:\n[\s\S]*create unique index .*\("ref", "day"\);/);
  expect((await load("list", "jobs.mjs")).out).toMatch(
    /refused .*nothing was written.*\n +main\.fact has no unique key/,
  );
  const told = JSON.parse((await load("preview", "jobs.mjs", "sales.fact", "--json")).out);
  expect(told).toMatchObject({ status: "refused", because: [{ what: "key-missing" }] });
});

test("a run that another process has is told with exit code 1, and nothing is run", async () => {
  await does("held");
  const { code, out } = await load("run", "jobs.mjs", "sales.fact");
  expect(code).toBe(1);
  expect(out).toMatch(/running at web-1: nothing was run\. Its lease ends in \d+ s/);
  expect(await counted()).toBe(0);
});

test("a table that differs is told with its keys and exit code 1", async () => {
  await load("run", "jobs.mjs", "sales.fact");
  expect(await load("reconcile", "jobs.mjs", "sales.fact")).toMatchObject({ code: 0, err: "" });
  await does("run", "delete from fact where ref = 'r7'", "update fact set amount = 'x' where ref = 'r8'");
  const { code, out } = await load("reconcile", "jobs.mjs", "sales.fact");
  expect(code).toBe(1);
  expect(out).toMatch(/differs\n {2}missing +1 .*\n {2}differing +1 .*\n\nWhich\n/);
  expect(out).toMatch(/missing +ref r7, day 2026-01-04\n/);
  expect(JSON.parse((await load("reconcile", "jobs.mjs", "sales.fact", "--list", "1", "--json")).out)).toMatchObject({
    ...{ equal: false, missing: 1, differing: 1 },
    keys: [{ is: "missing", key: { ref: "r7" } }],
  });
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends a run with its window, says how to go on, and the same command goes on",
  async (signal) => {
    const { code, err } = await stopped(signal);
    expect(code).toBe(signal === "SIGINT" ? 130 : 143);
    expect(err).toMatch(/Stops when the window under way is committed\./);
    expect(err).toMatch(/Stopped\. What was committed stays/);
    const done = await counted();
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(300);
    expect((await load("list", "jobs.mjs", "sales.daily")).out).toMatch(
      /unfinished: the next call goes on.* of 150 windows/,
    );
    const rest = JSON.parse((await load("run", "jobs.mjs", "sales.daily", "--json")).out);
    expect(rest).toMatchObject({
      run: "sales.daily#1",
      read: 300,
      inserted: 300,
      windows: { of: 150, skipped: done / 2 },
    });
  },
);

/** A run that is signalled with its first window, as a terminal does it: the whole group is. */
async function stopped(signal: NodeJS.Signals) {
  const command = join(installed.folder, "node_modules/reprise/dist/cli.mjs");
  const child = spawn(process.execPath, [command, "load", "run", "jobs.mjs", "sales.daily", "--progress", "json"], {
    cwd: installed.folder,
    timeout: 30_000,
    detached: true,
    env: { ...process.env, NO_COLOR: "1" },
  });
  let err = "";
  let signalled = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    if (signalled || !err.includes('"done":1,')) return;
    signalled = true;
    process.kill(-Number(child.pid), signal);
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, err };
}

test("progress as JSON is a line for each window, on standard error alone", async () => {
  const { out, err } = await load("run", "jobs.mjs", "sales.fact", "--progress", "json", "--json");
  expect(JSON.parse(out)).toMatchObject({ status: "done" });
  const lines = err
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(lines).toHaveLength(5);
  expect(lines[4]).toMatchObject({ load: "sales.fact", done: 5, skipped: 0, of: 5, counts: { read: 300 } });
});

test.each([
  ["several loads and no name", ["run", "jobs.mjs"], /declares several: sales\.fact, sales\.daily\. Say which load/],
  [
    "a name that is not declared",
    ["run", "jobs.mjs", "sales"],
    /declares no load 'sales'\. There is: sales\.fact, sales\.daily/,
  ],
  ["a module that is not there", ["run", "nowhere.mjs", "sales.fact"], /there is no such file/],
  ["a module twice", ["run", "jobs.mjs", "sales.fact", "--module", "jobs.mjs"], /given twice/],
  ["a run that is not kept", ["list", "jobs.mjs", "sales.fact", "--run", "x"], /has no run 'x'/],
  ["another form of progress", ["run", "jobs.mjs", "sales.fact", "--progress", "loud"], /terminal, json, none/],
  ["no verb", [], /Usage: reprise load/],
])("%s is told with exit code 2", async (_, args, words) => {
  const ended = await load(...args);
  expect([ended.code, ended.out]).toEqual([2, ""]);
  expect(ended.err).toMatch(words);
});
