import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nameOf, newAttemptId, type WorkId } from "../../../src/base/names.ts";
import type { ClaimRequest, Ledger } from "../../../src/contract/ledger.ts";
import { createRedisLedger } from "../../../src/stores/redis/ledger.ts";
import { noRedisHere, type RedisServer, startRedis } from "../../support/redis.ts";
import { expectLeases } from "../golden-ledger.ts";

/** What schema 1 stores, of every type, with all its fields and as a claim wrote it; bytes in base 64. Never changed. */
interface Golden {
  readonly madeAt: number;
  readonly stored: Readonly<Record<string, Stored>>;
}
interface Stored {
  readonly string?: string;
  readonly hash?: Readonly<Record<string, string>>;
  readonly list?: readonly string[];
  readonly set?: readonly string[];
  readonly zset?: readonly string[];
}

const { madeAt, stored } = JSON.parse(readFileSync(join(import.meta.dirname, "schema-1.json"), "utf8")) as Golden;
const missing = noRedisHere();
let server: RedisServer | undefined;
let client: Redis;
let ledger: Ledger<never>;

beforeAll(async () => {
  if (missing !== undefined) return;
  server = await startRedis();
  client = new Redis(server.url);
  for (const [key, value] of Object.entries(stored)) await restore(key, value);
  // a second after it was made
  const offset = madeAt + 1_000 - Date.now();
  ledger = createRedisLedger({ client, prefix: "golden" }, () => offset);
});
afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

async function restore(key: string, { string, hash, list, set, zset }: Stored): Promise<void> {
  const bytes = (text: string) => Buffer.from(text, "base64");
  if (string !== undefined) await client.set(key, bytes(string));
  for (const [field, value] of Object.entries(hash ?? {})) await client.hset(key, field, bytes(value));
  for (const item of list ?? []) await client.rpush(key, bytes(item));
  if (set !== undefined) await client.sadd(key, ...set);
  for (const [at, member] of (zset ?? []).entries()) {
    if (at % 2 === 0) await client.zadd(key, zset?.[at + 1] ?? "", member);
  }
}

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

describe("what an earlier version stored", () => {
  test("replays its outcomes, by identity, first key and further key", async () => {
    for (const key of [null, "k1", "k2"]) {
      expect(await ledger.claim(request("done", key))).toMatchObject({ is: "done", outcome: '{"done":"text"}' });
    }
    expect(await ledger.claim(request("refused"))).toMatchObject({ is: "done", outcome: '{"refused":"sold-out"}' });
    expect((await ledger.claim(request("other", "k2"))).is).toBe("mismatch");
  });

  test("is still unknown, waits and runs", async () => {
    expect(await ledger.find(request("unknown", "k3"))).toMatchObject({ is: "unknown", effect: "charge" });
    for (const [identity, leastMs, mostMs] of [
      ["open", 20_000, 60_000],
      ["running", 1_000, 30_000],
    ] as const) {
      const found = await ledger.find(request(identity));
      const leftMs = found?.is === "running" ? found.retryAfterMs : 0;
      expect(leftMs, identity).toBeGreaterThan(leastMs);
      expect(leftMs, identity).toBeLessThanOrEqual(mostMs);
    }
  });

  test("is listed, with what happened to it", async () => {
    const runs = await ledger.recent({ limit: 10 });
    expect(Object.fromEntries(runs.map((run) => [run.identity, [run.state, run.refused, run.why]]))).toEqual({
      done: ["done", false, null],
      refused: ["done", true, null],
      unknown: ["unknown", null, "answer lost"],
      open: ["open", null, "TypeError"],
      running: ["running", null, null],
      later: ["running", null, null],
      "seat once": ["done", false, null],
      "seat twice": ["done", false, null],
    });
    const histories = await Promise.all(runs.map(({ id }) => ledger.history(id)));
    const told = histories.flatMap((history) => history?.effects ?? []);
    expect(told.map(({ state, answer }) => [state, answer]).toSorted()).toEqual([
      ["pinned", '{"id":"ch_1"}'],
      ["started", null],
    ]);
    expect(histories.flatMap((history) => history?.attempts.map(({ what }) => what) ?? []).toSorted()).toEqual([
      "cancelled",
      "parked",
      "released",
    ]);
    expect(await ledger.journal.read("fine", 0)).toEqual([
      { resolution: "fine", instance: "a", at: 1, body: '{"v":1}' },
    ]);
  });

  test("is still leased, with the tokens that were, and registered", () => expectLeases(ledger, madeAt));

  test("is found by the id that it was accepted with, cancelled, as far as it came", async () => {
    expect(await ledger.standing("00112233445566778899aabbccddeeff" as WorkId)).toMatchObject({
      is: "going",
      running: true,
      cancelled: true,
      progress: { done: 3, total: 10 },
    });
    const runs = await ledger.recent({ limit: 10 });
    expect(runs.filter((run) => run.cancelled || run.progress !== null).map((run) => run.identity)).toEqual(["later"]);
  });

  test("tells what succeeded twice", async () => {
    const query = { operation: "book", withinMs: 60_000, limit: 10 };
    const intent = nameOf("intent", ["golden", "seat 7"]);
    for (const asked of [query, { ...query, intent }]) {
      const found = await ledger.twice(asked);
      expect(found.map(({ first, second }) => [first.identity, second.identity])).toEqual([
        ["seat once", "seat twice"],
      ]);
    }
  });

  test("goes on: work that was stored without some fields gets them", async () => {
    const [open] = (await ledger.recent({ limit: 10, state: "open" })).filter((run) => run.identity === "open");
    const id = open?.id as WorkId;
    expect(await ledger.intervene(id, { does: "cancel" }, { who: "ann", why: "by mistake" })).toBe(false);
    const parked = await ledger.recent({ limit: 1, state: "unknown" });
    const unknown = parked[0]?.id as WorkId;
    expect(await ledger.intervene(unknown, { does: "reopen" }, { who: "ann", why: "seen" })).toBe(true);
    const claim = await ledger.claim(request("unknown", "k3"));
    expect(claim).toMatchObject({ is: "won", cancelled: false });
    const progress = { done: 1, total: null };
    expect(claim.is === "won" && (await ledger.renew(claim.fence, 30_000, progress))).toBe("renewed");
    expect((await ledger.history(unknown))?.run.progress).toEqual(progress);
  });
});
