import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nameOf, newAttemptId } from "../../../src/base/names.ts";
import type { ClaimRequest, Ledger } from "../../../src/contract/ledger.ts";
import { loadDriver } from "../../../src/stores/sqlite/driver.ts";
import { sqliteLedger } from "../../../src/stores/sqlite/index.ts";
import { liveTables } from "../../../src/stores/sqlite/live.ts";
import { manualClock } from "../../../src/testing/index.ts";
import { expectLeases } from "../golden-ledger.ts";

const madeAt = Date.UTC(2026, 0, 1);
const directory = mkdtempSync(join(tmpdir(), "reprise-golden-"));
const path = join(directory, "schema-1.db");
const clock = manualClock({ now: madeAt + 1_000 });
let ledger: Ledger<unknown>;

beforeAll(async () => {
  const connection = (await loadDriver())(path);
  connection.exec(readFileSync(join(import.meta.dirname, "schema-1.sql"), "utf8"));
  connection.close();
  ledger = sqliteLedger({ path, clock });
  await ledger.open();
});
afterAll(async () => {
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

function request(identity: string, key: string | null = null): ClaimRequest {
  return {
    name: nameOf("work", ["golden", "book", "ann", identity]),
    key: key === null ? null : nameOf("key", ["golden", "book", "ann", key]),
    print: { version: 1, hash: "f".repeat(64) },
    keepMs: 86_400_000,
    leaseMs: 30_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    about: { operation: "book", identity, principal: "ann", key, owner: "test" },
    parent: null,
    intent: null,
  };
}

describe("a file that an earlier version wrote", () => {
  test("replays its outcomes, by identity, first key and further key", async () => {
    for (const key of [null, "k1", "k2"]) {
      expect(await ledger.claim(request("done", key))).toEqual({
        is: "done",
        outcome: '{"done":"text"}',
        at: madeAt + 100,
      });
    }
    expect(await ledger.claim(request("refused"))).toMatchObject({ is: "done", outcome: '{"refused":"sold-out"}' });
    expect(await ledger.claim(request("database", "k4"))).toMatchObject({ is: "done", outcome: '{"database":1}' });
    expect((await ledger.claim(request("other", "k2"))).is).toBe("mismatch");
  });

  test("still knows what is unknown, what waits and what runs", async () => {
    expect(await ledger.find(request("unknown", "k3"))).toMatchObject({ is: "unknown", effect: "charge" });
    expect(await ledger.find(request("open"))).toEqual({ is: "running", since: madeAt + 100, retryAfterMs: 59_100 });
    expect(await ledger.find(request("running"))).toEqual({ is: "running", since: madeAt + 100, retryAfterMs: 29_100 });
  });

  test("shows its runs with their effects, attempts and journal", async () => {
    const runs = await ledger.recent({ limit: 10 });
    expect(runs.map((run) => [run.identity, run.state, run.refused])).toEqual([
      ["running", "running", null],
      ["open", "open", null],
      ["unknown", "unknown", null],
      ["refused", "done", true],
      ["database", "done", false],
      ["done", "done", false],
    ]);
    for (const run of runs) {
      const isCancelled = run.identity === "running";
      expect([run.progress, run.cancelled]).toEqual(isCancelled ? [{ done: 3, total: 10 }, true] : [null, false]);
    }
    const history = async (identity: string) => {
      const run = runs.find((one) => one.identity === identity);
      return run === undefined ? null : await ledger.history(run.id);
    };
    expect((await history("done"))?.effects.map((effect) => [effect.effect, effect.kind, effect.answer])).toEqual([
      ["charge", "effect", '{"charge":"ch_1"}'],
      ["seat", "transaction", '{"seat":7}'],
    ]);
    expect(await history("database")).toMatchObject({
      run: { id: request("database").name },
      effects: [],
      attempts: [],
    });
    expect((await history("open"))?.attempts).toEqual([
      { at: madeAt + 100, what: "released", owner: "golden", token: 1, why: "TypeError" },
    ]);
    expect(await ledger.journal.read("fine", 0)).toEqual([
      { resolution: "fine", instance: "golden", at: madeAt + 100, body: '{"runs":1}' },
    ]);
  });

  test("hands abandoned work over with its input and its effects", async () => {
    await clock.advance(60_000);
    expect((await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 })).map((one) => one.input)).toEqual([
      '{"input":1}',
      '{"input":2}',
    ]);
    const taken = await ledger.claim(request("open"));
    expect(taken).toMatchObject({ is: "won", token: 2, effects: [{ effect: "mail", state: "started" }] });
  });
});

describe("a file with a journal of writes that an earlier version wrote", () => {
  const withWrites = join(directory, "schema-1-writes.db");
  const owner = { queue: "views", attempt: newAttemptId() };
  let later: Ledger<unknown>;
  beforeAll(async () => {
    const connection = (await loadDriver())(withWrites);
    for (const record of ["schema-1.sql", "schema-1-writes.sql"]) {
      connection.exec(readFileSync(join(import.meta.dirname, record), "utf8"));
    }
    connection.close();
    later = sqliteLedger({ path: withWrites, clock: manualClock({ now: madeAt + 1_000 }) });
  });
  afterAll(() => later.close());

  test("still sends what is pending, lists what is dead, and counts its versions on", async () => {
    const { writes } = later;
    expect(await writes?.standing("views")).toEqual({
      pending: 2,
      dead: 1,
      oldest: 9_000_000_000_000_001,
      newest: 9_000_000_000_000_003,
      dueInMs: -(madeAt + 1_000),
    });
    expect(await writes?.claim({ ...owner, leaseMs: 5_000, limit: 10 })).toMatchObject([
      { key: '["home"]', value: "[12]", version: 9_000_000_000_000_002, attempts: 0 },
    ]);
    expect(await writes?.dead("views", 10)).toEqual([
      {
        key: '["bad"]',
        scope: '[{"page":1},"bad"]',
        version: 9_000_000_000_000_005,
        attempts: 10,
        at: madeAt + 900,
        error: "RangeError",
      },
    ]);
    const appended = await writes?.append({
      queue: "views",
      writes: [{ key: "new", scope: "", value: "" }],
      most: 10,
    });
    expect(appended).toEqual({ versions: [9_000_000_000_000_006], pending: 3 });
  });

  test("a claim that a crashed process left is taken over when its lease is over", async () => {
    const clock = manualClock({ now: madeAt + 5_000 });
    const another = sqliteLedger({ path: withWrites, clock });
    expect(await another.writes?.claim({ queue: "views", attempt: newAttemptId(), leaseMs: 1, limit: 1 })).toEqual([
      {
        key: '["shop"]',
        scope: '[{"page":1},"shop"]',
        value: "[7]",
        version: 9_000_000_000_000_003,
        attempts: 2,
        failures: 3,
        failingMs: 5_000,
      },
    ]);
    await another.close();
  });
});

test("a file without the columns that came later gets them, and its works go on", async () => {
  const earlier = join(directory, "earlier.db");
  const connection = (await loadDriver())(earlier);
  connection.exec(readFileSync(join(import.meta.dirname, "schema-1.sql"), "utf8"));
  connection.exec("drop index reprise_work_intent");
  for (const column of ["parent", "intent", "progress", "cancelled"]) {
    connection.exec(`alter table reprise_work drop column ${column}`);
  }
  connection.close();
  const later = sqliteLedger({ path: earlier, clock: manualClock({ now: madeAt + 1_000 }) });
  expect(await later.find(request("done", "k2"))).toMatchObject({ is: "done", outcome: '{"done":"text"}' });
  const child = { ...request("child"), parent: request("running").name, intent: nameOf("intent", ["seat"]) };
  const claim = await later.claim(child);
  expect(claim).toMatchObject({ is: "won", cancelled: false });
  const fence = claim.is === "won" ? claim.fence : undefined;
  expect(fence && (await later.renew(fence, 30_000, { done: 1, total: null }))).toBe("renewed");
  expect((await later.recent({ limit: 1 }))[0]?.progress).toEqual({ done: 1, total: null });
  // an index may take longer than opening may
  expect(await later.schema?.migrate()).toEqual([expect.stringContaining("reprise_work_intent")]);
  await later.close();
  const named = async (file: string) => {
    const opened = (await loadDriver())(file);
    const rows = opened.all("select name, type from pragma_table_info('reprise_work') order by cid", []);
    const indexes = opened.all("select sql from sqlite_master where name = 'reprise_work_intent'", []);
    opened.close();
    return [...rows, ...indexes].map((row) => Object.values(row));
  };
  expect(await named(earlier)).toEqual(await named(path));
});

test("a new file, and one from before the journal of writes, have the tables that are recorded: a change needs a new record", async () => {
  const tables = async (file: string) => {
    const connection = (await loadDriver())(file);
    const found = liveTables(connection);
    connection.close();
    return found;
  };
  const fresh = sqliteLedger({ path: join(directory, "fresh.db"), clock });
  await fresh.open();
  await fresh.close();
  const recorded = await tables(join(directory, "schema-1-writes.db"));
  expect(await tables(join(directory, "fresh.db"))).toEqual(recorded);
  expect(await tables(path)).toEqual(recorded);
});

test("a file with leases and registers that an earlier version wrote still knows them, and counts on", async () => {
  const withLeases = join(directory, "schema-1-leases.db");
  const connection = (await loadDriver())(withLeases);
  for (const record of ["schema-1.sql", "schema-1-leases.sql"]) {
    connection.exec(readFileSync(join(import.meta.dirname, record), "utf8"));
  }
  connection.close();
  const later = sqliteLedger({ path: withLeases, clock: manualClock({ now: madeAt + 1_000 }) });
  await expectLeases(later, madeAt);
  // its tables are those that are created today: a change needs a new record
  expect((await later.schema?.differences())?.filter(({ what }) => /reprise_(?:lease|register)/.test(what))).toEqual(
    [],
  );
  await later.close();
});
