import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";
import { type Ended, runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `npx reprise operations` as a person has it: from the installed package, on ledgers that a crash has left. */

const secret = "canary-4111111111111111";
const schema = `reprise_test_${randomBytes(6).toString("hex")}`;

/** A refund whose process is killed while the other side is at it; it honours no key. */
const declaration = `
  reprise.operation({
    name: "refund.issue", input: unchecked(), principal: (input) => input.user, identity: (input) => [input.reference],
    retention: "90d", lease: "1s", costIfTwice: "money", effects: "external",
    refusals: { closed: { status: 409, because: "The account is closed." } },
    run: async ({ input, effect }) => {
      const paid = await effect("refund", { ifUnknown: "park", run: async () => {
        if (process.argv[2] === "crash") process.kill(process.pid, "SIGKILL");
        return { id: "rf_2", account: input.account };
      } });
      return { paid };
    },
  });`;

/** Asks for one refund, as often as it is told that it runs; prints how it ended. */
const caller = `
  import * as app from "./APP";
  const input = { user: "alice", reference: process.argv[3], account: "${secret}" };
  let outcome;
  for (let asked = 0; asked < 100; asked += 1) {
    outcome = await app.refund.execute(input, { key: input.reference + "-${secret}-${"k".repeat(40)}" });
    if (outcome.status !== "running") break;
    await new Promise((later) => setTimeout(later, outcome.retryAfterMs + 50));
  }
  console.log(JSON.stringify(outcome));
  await app.reprise.close();
  process.exit();`;

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  link(installed, "pg");
  // where the driver of SQLite is not Node's own
  link(installed, "libsql");
  installed.write(
    "sqlite.mjs",
    `import { createReprise, unchecked } from "reprise"; import { sqliteLedger } from "reprise/sqlite";
     export const reprise = createReprise({ service: "shop", undecided: "listed", ledger: sqliteLedger({ path: "shop.db" }) });
     export const refund = ${declaration}`,
  );
  installed.write(
    "postgres.mjs",
    `import pg from "pg"; import { createReprise, unchecked } from "reprise"; import { postgresLedger } from "reprise/postgres";
     const pool = new pg.Pool({ connectionString: ${JSON.stringify(postgresUrl)}, max: 4 });
     export const reprise = createReprise({ service: "shop", undecided: "listed", ledger: postgresLedger({ pool, schema: "${schema}" }) });
     export const refund = ${declaration}`,
  );
  for (const app of ["sqlite.mjs", "postgres.mjs"]) installed.write(`call-${app}`, caller.replace("APP", app));
});
afterAll(async () => {
  installed.remove();
  if ((await postgresVersion()) === undefined) return;
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query(`drop schema if exists ${schema} cascade`);
  await client.end();
});

const operations = (...args: readonly string[]) => runCommand(installed, ["operations", ...args]);

/** How the caller's process ended, and what it was told. */
function call(app: string, crash: "crash" | "go", reference: string) {
  const { signal, stdout, stderr } = spawnSync(process.execPath, [`call-${app}`, crash, reference], {
    ...{ cwd: installed.folder, encoding: "utf8", timeout: 30_000 },
  });
  return { signal, stderr, outcome: stdout === "" ? undefined : (JSON.parse(stdout) as Record<string, unknown>) };
}

/** A refund in the middle of which its process was killed, and which its caller's retry has parked. */
async function parked(app: string, reference: string): Promise<string> {
  expect(call(app, "crash", reference).signal).toBe("SIGKILL");
  expect(call(app, "go", reference).outcome).toMatchObject({ status: "unknown", effect: "refund" });
  const { out } = await operations("list", app, "--state", "unknown", "--operation", "refund.issue", "--json");
  const { runs } = JSON.parse(out) as { runs: { id: string; identity: string }[] };
  return String(runs.find(({ identity }) => identity === reference)?.id);
}

const noSecret = ({ out, err }: Ended) => {
  expect(out).not.toContain(secret);
  expect(err).not.toContain(secret);
};

describe.each([
  ["a SQLite file", "sqlite.mjs"],
  ["PostgreSQL", "postgres.mjs"],
])("on %s", (_, app) => {
  beforeAll(async () => {
    if (app !== "postgres.mjs" || (await postgresVersion()) === undefined) return;
    const client = new pg.Client({ connectionString: postgresUrl });
    await client.connect();
    await client.query(`create schema ${schema}`);
    await client.end();
  });
  beforeEach(async (context) => {
    if (app === "postgres.mjs" && (await postgresVersion()) === undefined) {
      context.skip(`${cannotRunHere}there is no PostgreSQL`);
    }
  });

  test("work that a crash has parked is listed, shown and settled, and its caller's retry is told that outcome", async () => {
    const id = await parked(app, "R-1");
    const listed = await operations("list", app, "--state", "unknown");
    expect(listed).toMatchObject({ code: 0, err: "" });
    expect(listed.out).toMatch(new RegExp(`^${id}  unknown  .*refund\\.issue / R-1`, "m"));

    const shown = await operations("show", app, id);
    expect(shown).toMatchObject({ code: 0, err: "" });
    expect(shown.out).toMatch(/effect 'refund' started\n/);
    expect(shown.out).toMatch(
      /answer --effect refund --never-happened\n.*struck out.*\n.*a second time, which costs money\./,
    );

    const settle = ["settle", app, id, "--value", `{"paid":{"id":"rf_9","account":"${secret}"}}`, "--who", "ann"];
    const settled = await operations(...settle, "--why", "found in the bank's records", "--yes");
    expect(settled.code).toBe(0);
    expect(settled.err).toMatch(
      /^refund\.issue \/ R-1 {2}unknown.*\nsettle: Gives the work its outcome by hand: nothing is run/,
    );
    expect(settled.out).toMatch(/settled by ann: found in the bank's records/);
    expect(settled.out).toMatch(/There is nothing to decide\./);
    for (const one of [listed, shown, settled]) noSecret(one);

    expect(call(app, "go", "R-1").outcome).toMatchObject({
      ...{ status: "done", replayed: true, value: { paid: { id: "rf_9" } } },
    });
  });

  test("an answer that a person knows is taken by the caller's next attempt", async () => {
    const id = await parked(app, "R-2");
    const answered = await operations(
      ...[
        "answer",
        app,
        id,
        "--effect",
        "refund",
        "--value",
        '{"id":"rf_7"}',
        "--why",
        "the bank says so",
        "--yes",
        "--json",
      ],
    );
    expect(answered.code).toBe(0);
    expect(JSON.parse(answered.out)).toMatchObject({ run: { state: "open" }, choices: [] });
    expect(call(app, "go", "R-2").outcome).toMatchObject({ status: "done", value: { paid: { id: "rf_7" } } });
  });

  test("what is not for the work as it stands is refused with exit code 1, and says what there is", async () => {
    const id = await parked(app, "R-3");
    const why = ["--why", "x", "--yes"];
    for (const [args, words] of [
      [
        ["release", app, id, ...why],
        /The work is unknown, and 'release' is not for that.*There is: rerun; answer --effect refund/,
      ],
      [
        ["answer", app, id, "--effect", "charge", "--never-happened", ...why],
        /no such effect waits for an answer.*--effect refund/,
      ],
      [["settle", app, id, "--refusal", "no-such", ...why], /it declares no such refusal.*closed/],
      [["rerun", app, "0f".repeat(16), ...why], /There is no work/],
      [["show", app, "0f".repeat(16)], /There is no work/],
    ] as const) {
      const ended = await operations(...args);
      expect([ended.code, ended.out], args[0]).toEqual([1, ""]);
      expect(ended.err).toMatch(words);
    }
    const after = JSON.parse((await operations("show", app, id, "--json")).out);
    expect(after.run).toMatchObject({ id, state: "unknown", principal: "alice" });
    expect(after.attempts.map(({ what }: { what: string }) => what)).toEqual(["taken-over", "parked"]);
    expect(JSON.stringify(after)).not.toContain(secret);
  });
});

describe("what is asked", () => {
  let id: string;
  beforeAll(async () => {
    id = await parked("sqlite.mjs", "R-9");
  });

  test.each([
    ["nobody can be asked", ["--why", "x"], /Nobody can be asked here, so nothing was changed\. Say --yes/],
    ["there is no reason", ["--yes"], /required option '--why <text>'/],
    ["the reason is blank", ["--why", " ", "--yes"], /Say why/],
    ["nobody decides", ["--why", "x", "--who", "", "--yes"], /Nobody knows who decides/],
  ])("where %s, exit code 2, and nothing is changed", async (_, args, words) => {
    const { code, out, err } = await operations("rerun", "sqlite.mjs", id, ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(words);
    const after = JSON.parse((await operations("show", "sqlite.mjs", id, "--json")).out);
    expect(after.run.state).toBe("unknown");
  });

  test("is said before it is done, also where nobody can be asked", async () => {
    const { err } = await operations(
      "answer",
      "sqlite.mjs",
      id,
      "--effect",
      "refund",
      "--never-happened",
      "--why",
      "x",
    );
    expect(err).toMatch(/'refund' never happened: its record is struck out, and the next attempt calls it\./);
    expect(err).toMatch(/If you are wrong: it happens a second time, which costs money\./);
  });

  test.each([
    ["neither a value nor a refusal", ["settle", "sqlite.mjs", "ID", "--why", "x"], /--value .* or --refusal/],
    [
      "both",
      ["settle", "sqlite.mjs", "ID", "--why", "x", "--value", "1", "--refusal", "closed"],
      /cannot be used with/,
    ],
    [
      "a value that is no JSON",
      ["settle", "sqlite.mjs", "ID", "--why", "x", "--value", `{${secret}`],
      /The value is no JSON/,
    ],
    ["no end of an effect", ["answer", "sqlite.mjs", "ID", "--why", "x", "--effect", "refund"], /or --never-happened/],
    ["an unknown state", ["list", "sqlite.mjs", "--state", "lost"], /open, running, unknown, done/],
    ["another service", ["list", "sqlite.mjs", "--service", "other"], /no instance of 'other'. There is: shop/],
    ["a module that is not there", ["list", "nowhere.mjs"], /there is no such file/],
    ["no verb", [], /Usage: reprise operations/],
  ])("%s is told with exit code 2", async (_, args, words) => {
    const ended = await operations(...args.map((one) => (one === "ID" ? id : one)));
    expect([ended.code, ended.out]).toEqual([2, ""]);
    expect(ended.err).toMatch(words);
    noSecret(ended);
  });

  test("a value comes from standard input where no shell is to remember it", async () => {
    const args = ["answer", "sqlite.mjs", id, "--effect", "refund", "--value", "-", "--why", "x", "--yes"];
    const ended = await runCommand(installed, ["operations", ...args], `{"id":"${secret}"}`);
    expect(ended.code).toBe(0);
    noSecret(ended);
  });

  test("of a module that exports several instances, one is named", async () => {
    installed.write(
      "two.mjs",
      `export { reprise } from "./sqlite.mjs"; import { createReprise } from "reprise";
       export const another = createReprise({ service: "another" });`,
    );
    expect((await operations("list", "two.mjs")).err).toMatch(
      /several instances: another, shop\. Say which with --service/,
    );
    expect((await operations("list", "two.mjs", "--service", "shop")).code).toBe(0);
    const none = await operations("list", "two.mjs", "--service", "another");
    expect([none.code, none.out]).toEqual([1, ""]);
    expect(none.err).toMatch(/needs a ledger/);
  });

  test("a ledger that does not answer is given up at the deadline, with exit code 1", async () => {
    installed.write(
      "hangs.mjs",
      `import { createReprise } from "reprise";
       const never = () => new Promise(() => {});
       export const reprise = createReprise({ service: "s", ledger: { name: "never", transactional: true, open: never, close: never } });`,
    );
    const { code, out, err } = await operations("list", "hangs.mjs", "--deadline", "1s");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/The ledger gave no answer in 1 s\./);
  });
});
