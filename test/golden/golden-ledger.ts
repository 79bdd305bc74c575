import { expect } from "vitest";
import { type AttemptId, nameOf, newAttemptId } from "../../src/base/names.ts";
import type { ClaimRequest, Ledger } from "../../src/contract/ledger.ts";

/** What every golden ledger on a server holds; its instants were moved to `madeAt`. */

export function goldenRequest(identity: string, key: string | null = null): ClaimRequest {
  return {
    name: nameOf("work", ["golden", "book", "ann", identity]),
    key: key === null ? null : nameOf("key", ["golden", "book", "ann", key]),
    print: { version: 1, hash: "f".repeat(64) },
    keepMs: 86_400_000,
    leaseMs: 30_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    parent: null,
    intent: null,
    about: { operation: "book", identity, principal: "ann", key, owner: "test" },
  };
}

/** Replays, by identity, first key and further key. */
export async function expectOutcomes(ledger: Ledger<unknown>, madeAt: number): Promise<void> {
  for (const key of [null, "k1", "k2"]) {
    const done = { is: "done", outcome: '{"done":"text"}', at: madeAt + 100 };
    expect(await ledger.claim(goldenRequest("done", key))).toEqual(done);
  }
  expect(await ledger.claim(goldenRequest("refused"))).toMatchObject({ outcome: '{"refused":"sold-out"}' });
  for (const key of [null, "k4"]) {
    expect(await ledger.claim(goldenRequest("database", key))).toMatchObject({ outcome: '{"database":1}' });
  }
  expect((await ledger.claim(goldenRequest("other", "k2"))).is).toBe("mismatch");
}

export async function expectStates(ledger: Ledger<unknown>, madeAt: number): Promise<void> {
  const unknown = { is: "unknown", effect: "charge", since: madeAt + 100 };
  expect(await ledger.find(goldenRequest("unknown", "k3"))).toEqual(unknown);
  for (const identity of ["open", "running"]) {
    expect(await ledger.find(goldenRequest(identity))).toMatchObject({ is: "running", since: madeAt + 100 });
  }
}

export async function expectRuns(ledger: Ledger<unknown>, madeAt: number): Promise<void> {
  const runs = await ledger.recent({ limit: 10 });
  expect(runs.map((run) => `${run.identity} ${run.state} ${run.refused}`).toSorted()).toEqual([
    "database done false",
    "done done false",
    "open open null",
    "refused done true",
    "running running null",
    "unknown unknown null",
  ]);
  expect(runs.filter((run) => run.cancelled || run.progress !== null)).toMatchObject([
    { identity: "running", progress: { done: 3, total: 10 }, cancelled: true },
  ]);
  const twice = await ledger.twice({ operation: "book", withinMs: 60_000, limit: 10 });
  expect(twice.map(({ first, second }) => [first.identity, second.identity])).toEqual([["done", "database"]]);
  const history = async (identity: string) => {
    const run = runs.find((one) => one.identity === identity);
    return run === undefined ? null : await ledger.history(run.id);
  };
  expect((await history("done"))?.effects.map((effect) => [effect.effect, effect.kind, effect.answer])).toEqual([
    ["charge", "effect", '{"charge":"ch_1"}'],
    ["seat", "transaction", '{"seat":7}'],
  ]);
  expect((await history("open"))?.attempts).toEqual([
    { at: madeAt + 100, what: "released", owner: "golden", token: 1, why: "TypeError" },
  ]);
  expect((await ledger.journal.read("fine", 0)).map(({ instance, body }) => [instance, body])).toEqual([
    ["golden", '{"runs":1}'],
  ]);
}

/** Of the journal of writes: what is pending is claimed, what is dead listed, and its versions are counted on. */
export async function expectWrites({ writes }: Ledger<unknown>): Promise<void> {
  expect(await writes?.standing("views")).toMatchObject({ pending: 2, dead: 1, newest: 9_000_000_000_000_003 });
  const owner = { queue: "views", attempt: newAttemptId() };
  const [oldest] = (await writes?.claim({ ...owner, leaseMs: 60_000, limit: 10 })) ?? [];
  expect(oldest).toMatchObject({ key: '["home"]', value: "[12]", version: 9_000_000_000_000_002, attempts: 0 });
  expect(await writes?.dead("views", 10)).toMatchObject([{ key: '["bad"]', attempts: 10, error: "RangeError" }]);
  const appended = await writes?.append({ queue: "views", writes: [{ key: "new", scope: "", value: "" }], most: 10 });
  expect(appended).toEqual({ versions: [9_000_000_000_000_006], pending: 3 });
}

/** Of leases and registers: who has one is told, renews and releases it, and a token and a version are counted on. */
export async function expectLeases({ leases, registers }: Ledger<unknown>, madeAt: number): Promise<void> {
  const [held, released] = ['["golden","hold","held"]', '["golden","hold","released"]'];
  const standing = await leases?.look(held);
  expect(standing).toMatchObject({ token: 7, holder: "golden" });
  expect(standing?.forMs).toBeGreaterThan(1_000);
  const asked = { holder: "test", attempt: newAttemptId(), leaseMs: 30_000 };
  expect(await leases?.acquire({ ...asked, name: held })).toMatchObject({ is: "held", holder: "golden" });
  const grip = { name: held, attempt: "5f0c2d6b9e3a4c1d8b7a6f5e4d3c2b1a" as AttemptId, token: 7 };
  expect(await leases?.renew(grip, 30_000)).toBe(true);
  expect(await leases?.release(grip)).toBe(true);
  expect(await leases?.look(released)).toEqual({ token: 3, holder: "golden", forMs: 0 });
  expect(await leases?.acquire({ ...asked, name: released })).toEqual({ is: "acquired", token: 4 });
  expect(await registers?.list({ prefix: "golden/", after: null, limit: 10 })).toEqual([
    { name: "golden/a", value: '{"a":1}', version: 12, at: madeAt + 100 },
    { name: "golden/b", value: "", version: 1, at: madeAt + 100 },
  ]);
  expect(await registers?.replace("golden/a", "2", 11)).toBeNull();
  expect(await registers?.replace("golden/a", "2", 12)).toBe(13);
}

/** Once its lease, and its pause, are over. */
export async function expectTakenOver(ledger: Ledger<unknown>): Promise<void> {
  const abandoned = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 });
  expect(abandoned.map((one) => one.input).toSorted()).toEqual(['{"input":1}', '{"input":2}']);
  const taken = await ledger.claim(goldenRequest("open"));
  expect(taken).toMatchObject({ is: "won", token: 2, effects: [{ effect: "mail", state: "started" }] });
}
