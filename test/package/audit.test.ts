import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";
import { type Ended, runCommand } from "./command.ts";
import { type Installed, install, link } from "./installed.ts";

/** `npx reprise audit --success-twice` as a person has it, on a PostgreSQL with planted pairs and innocent twins. */

const canary = "canary-4111111111111111";
const schema = `reprise_test_${randomBytes(6).toString("hex")}`;
const role = `${schema}_reader`;

const declaration = `
  import pg from "pg"; import { createReprise, unchecked } from "reprise"; import { postgresLedger } from "reprise/postgres";
  const pool = new pg.Pool({ connectionString: ${JSON.stringify(postgresUrl)}, max: 2 });
  export const reprise = createReprise({ service: "shop", undecided: "listed", ledger: postgresLedger({ pool, schema: "${schema}" }) });
  const common = { input: unchecked(), principal: (input) => input.user, retention: "1d", effects: "database",
    refusals: { "sold-out": { status: 409, because: "No seat is left." } },
    run: async ({ input, refuse }) => { if (input.soldOut) throw refuse("sold-out"); return input.seat; } };
  export const book = reprise.operation({ ...common, name: "book", identity: "callers-key",
    sameIntent: { of: (input) => [input.seat], within: "10m" } });
  export const order = reprise.operation({ ...common, name: "order", identity: "callers-key" });
  export const send = reprise.operation({ ...common, name: "send", identity: (input) => [input.seat] });
  export const close = async () => { await reprise.close(); await pool.end(); };`;

const runs = `
  import * as app from "./app.mjs";
  const ask = (operation, key, user, seat, more) =>
    operation.execute({ user, seat: "${canary}-" + seat, card: "${canary}", ...more }, { key: key + "-${canary}" });
  await ask(app.book, "k1", "ann", 7);
  await ask(app.book, "k1", "ann", 7);
  await ask(app.book, "k2", "bob", 7);
  await ask(app.book, "k3", "ann", 8);
  await ask(app.book, "k4", "ann", 7, { soldOut: true });
  await ask(app.book, "k5", "ann", 7, { note: "clicked again" });
  for (const [key, seat] of [["k1", 7], ["k2", 8], ["k3", 7]]) await ask(app.order, key, "ann", seat);
  await ask(app.send, "k1", "ann", 7);
  await app.close();`;

const table = `${schema}."Seat bookings"`;
const planted = `
  create table ${table} (id int primary key, reference text, user_id text, seat int, note text, at timestamptz);
  insert into ${table} select n, 'r' || n, '${canary}-' || n, n, '${canary}', now() - n * interval '1 minute' from generate_series(1, 12000) n;
  insert into ${table} values
    (20001, 'r20001', '${canary}-500', 500, null, now() - interval '500 minutes' + interval '40 s'),
    (20002, 'r20002', '${canary}-500', 500, null, now() - interval '500 minutes' + interval '90 s'),
    (20003, 'r20003', '${canary}-11000', 11000, null, now() - interval '11000 minutes' + interval '10 min'),
    (20004, 'r20004', '${canary}-600', 600, null, now() - interval '600 minutes' + interval '601 s'),
    (20005, 'r20005', '${canary}-other', 700, null, now() - interval '700 minutes'),
    (20006, 'r20006', '${canary}-none', null, null, now()), (20007, 'r20007', '${canary}-none', null, null, now()),
    (20008, 'r800', '${canary}-800', 800, null, now() - interval '800 minutes' + interval '5 s');
  create view ${schema}.broken as select id, seat, at, note::int as user_id from ${table};
  create role ${role} login; grant usage on schema ${schema} to ${role};
  grant select (id, user_id, seat, at) on ${table} to ${role}`;

const missing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;
let installed: Installed;
let admin: pg.Client;

beforeAll(async () => {
  if (missing !== undefined) return;
  installed = await install();
  admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`create schema ${schema}`);
  await admin.query(planted);
});
beforeEach((context) => {
  if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
});
afterAll(async () => {
  await admin?.query(`drop schema ${schema} cascade; drop role ${role}`);
  await admin?.end();
  installed?.remove();
});

/** After the test that has none. */
function linkDriver(): void {
  if (missing === undefined && !existsSync(join(installed.folder, "node_modules/pg"))) link(installed, "pg");
}

async function audit(...args: readonly string[]): Promise<Ended> {
  const ended = await runCommand(installed, ["audit", "--success-twice", ...args]);
  if (!args.includes("--show-keys")) expect(ended.out + ended.err).not.toContain(canary);
  return ended;
}
const ofTable = (...args: readonly string[]) =>
  audit("--postgres", postgresUrl, "--table", table, "--same", "user_id,seat", "--at", "at", ...args);

test("without the driver it says what to install", async () => {
  const { code, err } = await ofTable();
  expect([code, err]).toEqual([2, expect.stringContaining("npm install --save-dev pg")]);
});

describe("of a table", () => {
  beforeAll(linkDriver);

  test("it finds the planted pairs and no twin, and tells no value", async () => {
    const { code, out, err } = await ofTable("--json");
    // a slow machine is told how far it has come
    expect(err).toMatch(/^(still reading: [\d,]+ rows after \d+ s\n)*$/);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ...{ table, key: ["id"], rows: 12_006, pairs: 4, largest: 3, shortestMs: 5_000, longestMs: 600_000 },
    });
    expect(out).not.toContain("listed");
    const text = await ofTable();
    expect(text.out).toContain("4 successes happened twice, 5 s to 10 min apart; the largest group has 3");
    expect(text.out).not.toContain("20001");
  });

  test("what tells rows apart may be another column, keys are told when asked for, and what is known may stay", async () => {
    const { code, out } = await ofTable("--key", "reference", "--show-keys", "--at-most", "3", "--json");
    expect(code).toBe(0);
    const { listed } = JSON.parse(out) as {
      readonly listed: readonly { readonly first: string; readonly second: string }[];
    };
    expect(listed.map(({ first, second }) => [first, second])).toEqual([
      ["r20001", "r20002"],
      ["r500", "r20001"],
      ["r11000", "r20003"],
    ]);
    expect((await ofTable("--key", "reference", "--at-most", "2")).code).toBe(1);
    expect((await ofTable("--within", "1s")).code).toBe(0);
  });

  test("a role that may read those columns alone is enough, and one that may not is told what it lacks", async () => {
    const url = new URL(postgresUrl);
    url.username = role;
    const as = (same: string) => audit("--postgres", url.href, "--table", table, "--same", same, "--at", "at");
    expect((await as("user_id,seat")).code).toBe(1);
    const { code, err } = await as("note");
    expect([code, err]).toEqual([2, expect.stringContaining("grant select (note, at, the primary key)")]);
  });

  test("what the server says of a row is not repeated", async () => {
    const view = ["--table", `${schema}.broken`, "--same", "user_id,seat", "--at", "at"];
    const { code, err } = await audit("--postgres", postgresUrl, ...view);
    expect([code, err]).toEqual([2, expect.stringContaining("22P02")]);
  });

  test.each([
    [["--postgres", "REPRISE_NO_SUCH_VARIABLE", "--table", "t", "--same", "a"], "no environment variable"],
    [["--postgres", `postgres://ann:${canary}@127.0.0.1:1/test`, "--table", "t", "--same", "a"], "ECONNREFUSED"],
    [["--postgres", postgresUrl, "--table", `${schema}.none`, "--same", "a"], "There is no table"],
    [["--postgres", postgresUrl, "--table", "a b;", "--same", "a"], "no name of a table"],
    [["--postgres", postgresUrl, "--table", table, "--same", "a"], "has no column 'a'"],
    [["--postgres", postgresUrl, "--table", table, "--same", "seat"], "Say which with --at: at."],
    [["--postgres", postgresUrl, "--table", table, "--same", "seat,id", "--at", "at"], "No two rows"],
    [["--table", "t"], "Give a module"],
    [["app.mjs", "--same", "seat"], "its ledger holds no column of the input"],
  ])("wrong usage ends with 2 and a sentence: %j", async (args, sentence) => {
    const { code, out, err } = await audit(...args);
    expect([code, out, err]).toEqual([2, "", expect.stringContaining(sentence)]);
  });
});

describe("of a module's operations", () => {
  beforeAll(async () => {
    if (missing !== undefined) return;
    linkDriver();
    installed.write("app.mjs", declaration);
    installed.write("runs.mjs", runs);
    await installed.node(["runs.mjs"]);
  });

  test("all that is kept is compared by its intent, or by its input, or it is said that it cannot be", async () => {
    const { code, out } = await audit("app.mjs", "--json");
    expect(code).toBe(1);
    const { operations } = JSON.parse(out) as { readonly operations: readonly unknown[] };
    expect(operations).toMatchObject([
      {
        operation: "book",
        comparedBy: "intent",
        compared: 4,
        incomparable: 0,
        pairs: 1,
        largest: 2,
        withinMs: 600_000,
      },
      { operation: "order", comparedBy: "input", compared: 3, pairs: 1 },
      { operation: "send", comparedBy: null, compared: 0, pairs: 0 },
    ]);
    const text = await audit("app.mjs", "--operation", "send");
    expect([text.code, text.out]).toEqual([0, expect.stringContaining("Declare sameIntent")]);
    expect((await audit("app.mjs", "--at-most", "2")).code).toBe(0);
  });

  test("what was recorded before the intent was declared is said not to be comparable, and the rest is compared", async () => {
    await admin.query(`update ${schema}.reprise_work set intent = md5('x')::uuid where operation = 'send'`);
    installed.write(
      "later.mjs",
      declaration.replace(
        "[input.seat] })",
        `[input.seat], sameIntent: { of: (input) => [input.seat], within: "1h" } })`,
      ),
    );
    await admin.query(
      `insert into ${schema}.reprise_work (created_at, keep_until, name, id, state, refused, print, print_v, operation, identity, principal, owner, outcome)
       select now(), now() + interval '1 day', gen_random_uuid(), gen_random_uuid(), 'd', false, '\\x00', 1, 'send', '${canary}', 'ann', 'o', ''
       from generate_series(1, 3)`,
    );
    const { code, out } = await audit("later.mjs", "--operation", "send");
    expect(code).toBe(0);
    expect(out).toContain("1 success compared");
    expect(out).toContain("3 successes cannot be compared");
  });

  test("operations twice lists both runs, and operations show takes their ids", async () => {
    const { code, out } = await runCommand(installed, ["operations", "twice", "app.mjs", "--json"]);
    expect(code).toBe(0);
    expect(out).not.toContain("card");
    const { twice } = JSON.parse(out) as { readonly twice: readonly { readonly second: { readonly id: string } }[] };
    expect(twice).toMatchObject([{ operation: "book", first: { principal: "ann" }, second: { principal: "ann" } }]);
    const shown = await runCommand(installed, ["operations", "show", "app.mjs", twice[0]?.second.id ?? ""]);
    expect(shown.code).toBe(0);
  });
});
