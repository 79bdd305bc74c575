import { afterEach, describe, expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { type Act, type Guard, type GuardAdapter, guards } from "./guards.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function shelf() {
  const clock = manualClock();
  const store = memoryLedger({ clock });
  return { clock, store, ...faultyLedger(store) };
}

const retry = { name: "order.place", retention: "1d", effects: "external", ifUnknown: "retry" } as const;
const park = { ...retry, ifUnknown: "park" } as const;
const database = { name: "order.place", retention: "1d", effects: "database" } as const;

interface Sent {
  readonly key?: string | null;
  readonly user?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

async function stage(adapter: GuardAdapter, guard: Guard, act: Act, shared = shelf()) {
  const { ledger, clock } = shared;
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock });
  closing.push(() => reprise.close());
  let calls = 0;
  const failures: Error[] = [];
  const server = await adapter.serve(reprise, { ...guard, failed: (error) => failures.push(error) }, (given) => {
    calls += 1;
    return act(given);
  });
  closing.push(server.close);
  const post = async (item: string, { key = '"k1"', user = "alice", body, signal }: Sent = {}) => {
    const answer = await server.send({
      headers: [
        ["content-type", "application/json"],
        ["x-session", user],
        ...(key === null ? [] : [["idempotency-key", key] as const]),
      ],
      body: body ?? JSON.stringify({ item }),
      signal,
    });
    const text = Buffer.from(answer.body).toString();
    return {
      status: answer.status,
      text,
      bytes: [...answer.body],
      type: answer.headers.get("content-type"),
      location: answer.headers.get("location"),
      etag: answer.headers.get("etag"),
      cookie: answer.headers.get("set-cookie"),
      replayed: answer.headers.get("idempotency-replayed") === "true",
      code: text.startsWith("{") ? (JSON.parse(text) as { code?: string }).code : undefined,
    };
  };
  return { ...shared, post, reprise, failures, calls: () => calls };
}

function latch() {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const created: Act = async ({ item }) => ({
  status: 201,
  headers: { location: `/orders/${item}`, etag: '"v1"', "set-cookie": "a=b" },
  body: { item },
});

describe.each(guards)("a handler behind the guard of $name", (adapter) => {
  test.each([retry, park, database])(
    "GUARD-01 is called once, and its answer repeated with status, kept headers and bytes ($effects, $ifUnknown)",
    async (guard) => {
      const { post, calls } = await stage(adapter, guard as Guard, created);
      const first = await post("a");
      expect(first).toMatchObject({
        status: 201,
        text: '{"item":"a"}',
        location: "/orders/a",
        etag: '"v1"',
        cookie: null,
      });
      expect(first.type).toMatch(/^application\/json/);
      expect(await post("a")).toEqual({ ...first, replayed: true });
      expect(calls()).toBe(1);
    },
  );

  test("GUARD-02 is repeated as bytes, also without any", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const { post, calls } = await stage(adapter, retry, async ({ item }) =>
      item === "bytes" ? { headers: { "content-type": "image/png" }, body: bytes } : { status: 204 },
    );
    const first = await post("bytes");
    expect(first).toMatchObject({ status: 200, type: "image/png", bytes: [...bytes] });
    expect(await post("bytes")).toEqual({ ...first, replayed: true });
    const empty = await post("nothing", { key: '"k2"' });
    expect(empty).toMatchObject({ status: 204, bytes: [] });
    expect(await post("nothing", { key: '"k2"' })).toEqual({ ...empty, replayed: true });
    expect(calls()).toBe(2);
  });

  test("GUARD-03 is not called without a key, nor with another body under the same one", async () => {
    const { post, calls } = await stage(adapter, retry, created);
    expect(await post("a", { key: null })).toMatchObject({ status: 400, code: "REPRISE_KEY_MISSING" });
    expect(await post("a", { body: '{"item":"a","note":"x"}' })).toMatchObject({ status: 201 });
    expect(await post("a", { body: '{ "note": "x", "item": "a" }' })).toMatchObject({ status: 201, replayed: true });
    expect(await post("b")).toMatchObject({ status: 422, code: "REPRISE_MISMATCH" });
    expect(calls()).toBe(1);
  });

  test("GUARD-04 tells nobody another's answer under the same key, and nobody nothing", async () => {
    const { post, calls } = await stage(adapter, retry, created);
    await post("a");
    expect(await post("b", { user: "bob" })).toMatchObject({ status: 201, location: "/orders/b", replayed: false });
    expect(await post("a", { user: "" })).toMatchObject({ status: 403, code: "REPRISE_PRINCIPAL_EMPTY" });
    expect(calls()).toBe(2);
  });

  test.each([retry, database])(
    "GUARD-05 is called again where it says that nothing was done, or fails ($effects)",
    async (guard) => {
      const answers = [400, 401, 403, 429, 500, 503];
      const { post, calls } = await stage(adapter, guard, async () => ({ status: answers.shift() ?? 201, body: "x" }));
      for (const status of [...answers]) expect(await post("a")).toMatchObject({ status, text: "x", replayed: false });
      expect(await post("a")).toMatchObject({ status: 201, replayed: false });
      expect(await post("a")).toMatchObject({ status: 201, replayed: true });
      expect(calls()).toBe(7);
    },
  );

  test("GUARD-06 keeps a refusal such as 404 or 409", async () => {
    const { post, calls } = await stage(adapter, retry, async () => ({ status: 409, body: { why: "sold out" } }));
    const first = await post("a");
    expect(first).toMatchObject({ status: 409, text: '{"why":"sold out"}' });
    expect(await post("a")).toEqual({ ...first, replayed: true });
    expect(calls()).toBe(1);
  });

  test.each([retry, database])(
    "GUARD-07 that throws is its framework's to answer, and called again ($effects)",
    async (guard) => {
      let broken = true;
      const { post, calls, store } = await stage(adapter, guard, async ({ tx, item }) => {
        tx?.set(item, "written");
        if (broken) throw new Error("no");
        return { body: "done" };
      });
      expect(await post("a")).toMatchObject({ status: 418, text: "thrown" });
      expect(store.rows.size).toBe(0);
      broken = false;
      expect(await post("a")).toMatchObject({ status: 200, text: "done", replayed: false });
      expect(store.rows.get("a")).toBe(guard.effects === "database" ? "written" : undefined);
      expect(calls()).toBe(2);
    },
  );

  test("GUARD-08 writes with the transaction that it is offered: all of it with its answer, or nothing", async () => {
    const { post, store, fail, calls } = await stage(adapter, database, async ({ tx, item }) => {
      tx?.set(item, "written");
      return { status: item === "bad" ? 500 : 201 };
    });
    expect(await post("bad")).toMatchObject({ status: 500 });
    fail("atomic");
    expect(await post("a", { key: '"k2"' })).toMatchObject({ status: 503, code: "REPRISE_LEDGER_AWAY" });
    expect(store.rows.size).toBe(0);
    expect(await post("a", { key: '"k2"' })).toMatchObject({ status: 201, replayed: false });
    expect([...store.rows.keys()]).toEqual(["a"]);
    expect(calls()).toBe(2);
  });

  test("GUARD-09 that throws, where a lost answer is parked, is called no more: nobody knows what it did", async () => {
    const { post, calls, failures } = await stage(adapter, park, async () => {
      throw new Error("no");
    });
    expect(await post("a")).toMatchObject({ status: 503, code: "REPRISE_UNKNOWN" });
    expect(await post("a")).toMatchObject({ status: 503, code: "REPRISE_UNKNOWN" });
    expect(calls()).toBe(1);
    expect(failures).toMatchObject([{ cause: { message: "no" } }]);
  });

  test.each([
    ["park", park, { status: 503, code: "REPRISE_UNKNOWN" }, 0],
    ["retry", retry, { status: 201, replayed: false }, 1],
  ] as const)(
    "GUARD-10 whose process died before its answer was kept is dealt with as declared (%s)",
    async (_, guard, told, called) => {
      const reached = latch();
      const go = latch();
      const shared = shelf();
      const dying = await stage(
        adapter,
        guard,
        async (given) => {
          reached.open();
          await go.passed;
          return created(given);
        },
        shared,
      );
      const lost = dying.post("a").catch(() => undefined);
      await reached.passed;
      // its renewals are lost from here on: to the ledger it is dead
      for (let call = 1; call <= 20; call += 1) shared.fail("renew", { call });
      const next = await stage(adapter, guard, created, shared);
      expect(await next.post("a")).toMatchObject({ status: 409, code: "REPRISE_RUNNING" });
      await shared.clock.advance(31_000);
      expect(await next.post("a")).toMatchObject(told);
      expect(next.calls()).toBe(called);
      go.open();
      await lost;
    },
  );

  test("GUARD-11 that does not answer in time is given up, and what it answers later disturbs nobody", async () => {
    const reached = latch();
    const go = latch();
    const late = latch();
    const { post, clock, calls } = await stage(adapter, retry, async (given) => {
      if (given.item === "b") return created(given);
      reached.open();
      await go.passed;
      setImmediate(late.open);
      return created(given);
    });
    const slow = post("a");
    await reached.passed;
    await clock.advance(20_000);
    expect(await slow).toMatchObject({ status: 503, code: "REPRISE_EFFECT_TIMEOUT" });
    go.open();
    await late.passed;
    expect(await post("b", { key: '"k2"' })).toMatchObject({ status: 201 });
    expect(calls()).toBe(2);
  });

  test("GUARD-12 whose client hangs up ends, and the retry is told", async () => {
    const reached = latch();
    const go = latch();
    const { post, calls, block } = await stage(adapter, retry, async (given) => {
      reached.open();
      await go.passed;
      return created(given);
    });
    const client = new AbortController();
    const cut = post("a", { signal: client.signal });
    await reached.passed;
    client.abort();
    await expect(cut).rejects.toThrow();
    expect(await post("a")).toMatchObject({ status: 409, code: "REPRISE_RUNNING" });
    const completed = block("complete", { when: "after" });
    go.open();
    await completed.reached;
    completed.open();
    expect(await post("a")).toMatchObject({ status: 201, location: "/orders/a", replayed: true });
    expect(calls()).toBe(1);
  });

  test("GUARD-13 that tells more than may be kept is recorded as done, and says so each time", async () => {
    const { post, calls, failures } = await stage(adapter, { ...retry, answerLimit: "1kb" }, async () => ({
      body: "x".repeat(2_000),
    }));
    expect(await post("a")).toMatchObject({ status: 500, code: "REPRISE_REPLY_FAILED" });
    expect(await post("a")).toMatchObject({ status: 500, code: "REPRISE_REPLY_FAILED" });
    expect(calls()).toBe(1);
    expect(failures[0]).toMatchObject({ cause: { code: "REPRISE_OUTCOME_TOO_LARGE" } });
  });

  test("GUARD-14 that answers with an endless stream is not waited for", async () => {
    const told = { cancelled: false };
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(512)),
        cancel: () => {
          told.cancelled = true;
        },
      });
    // Express has no word for a stream: what is written is collected, and an end is waited for
    const bounded = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => {
          for (let at = 0; at < 4; at += 1) controller.enqueue(new Uint8Array(512));
          controller.close();
        },
      });
    const { post, calls } = await stage(adapter, { ...retry, answerLimit: "1kb" }, async () => ({
      body: adapter.name === "express" ? bounded() : endless(),
    }));
    expect(await post("a")).toMatchObject({ status: 500, code: "REPRISE_REPLY_FAILED" });
    expect(await post("a")).toMatchObject({ status: 500, code: "REPRISE_REPLY_FAILED" });
    expect(calls()).toBe(1);
    if (adapter.name !== "express") expect(told.cancelled).toBe(true);
  });

  test("GUARD-15 is not called while the ledger is away", async () => {
    const { post, calls, fail, clock } = await stage(adapter, retry, created);
    // a claim is repeated where its answer may be lost, with pauses in between
    for (let call = 1; call <= 50; call += 1) fail("claim", { call });
    let settled = false;
    const asking = post("a").finally(() => {
      settled = true;
    });
    while (!settled) await clock.advance(1_000);
    const away = await asking;
    expect(away).toMatchObject({ status: 503, code: "REPRISE_LEDGER_AWAY" });
    expect(away.type).toBe("application/problem+json");
    expect(calls()).toBe(0);
  });
});
