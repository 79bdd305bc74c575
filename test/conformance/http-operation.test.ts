import { afterEach, describe, expect, test } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import type { Schema } from "../../src/base/schema.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise } from "../../src/reprise.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import type { HttpAdapter, HttpServer, ServedOperation } from "../../src/testing/http-adapter.ts";
import { httpAdapters } from "./http-adapters.ts";

interface Booking {
  readonly user: string;
  readonly seat: string;
}
const booking: Schema<Booking> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const { user, seat } = value as Partial<Booking>;
      return typeof user === "string" && typeof seat === "string"
        ? { value: { user, seat } }
        : { issues: [{ message: "is missing", path: ["seat"] }] };
    },
  },
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A booking that charges outside, on a real engine; `charge` is the other side. */
function platform(charge: (seat: string) => Promise<string>, ledger: Ledger<unknown> = memoryLedger()) {
  const reprise = createReprise({ service: "test", owner: "team", undecided: "listed", ledger });
  closing.push(() => reprise.close());
  return reprise.operation({
    name: "seat.book",
    input: booking,
    principal: ({ user }) => user,
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    refusals: { "sold-out": { status: 410, because: "No seat is left." } },
    run: async ({ input, effect, refuse }) => {
      if (input.seat === "none") throw refuse("sold-out");
      const id = await effect("charge", { ifUnknown: "retry", run: () => charge(input.seat) });
      return { seat: input.seat, charge: id };
    },
  });
}

async function serve(adapter: HttpAdapter, operation: unknown, carrier: ServedOperation["carrier"] = {}) {
  const server: HttpServer = await adapter.serve({
    operation: operation as ServedOperation["operation"],
    carrier,
    principal: "session",
    bodyLimitBytes: 2_048,
  });
  closing.push(server.close);
  return async (user: string, input: object, signal?: AbortSignal) => {
    const answer = await server.send({
      headers: [
        ["content-type", "application/json"],
        ["idempotency-key", '"k1"'],
        ["x-session", user],
      ],
      body: JSON.stringify(input),
      signal,
    });
    const text = new TextDecoder().decode(answer.body);
    const { code } = JSON.parse(text) as { code?: string };
    return { status: answer.status, text, code, replayed: answer.headers.get("idempotency-replayed") === "true" };
  };
}

function counted(work: (seat: string) => Promise<string> = async (seat) => `charge of ${seat}`) {
  const charged: string[] = [];
  const charge = (seat: string) => {
    charged.push(seat);
    return work(seat);
  };
  return { charged, charge };
}

describe.each(httpAdapters)("an operation behind $name", (adapter) => {
  const alice = { user: "alice", seat: "a" };

  test("runs once, and is repeated byte by byte", async () => {
    const { charged, charge } = counted();
    const post = await serve(adapter, platform(charge), { reply: (value) => ({ status: 201, body: value as object }) });
    const first = await post("alice", alice);
    expect(first).toMatchObject({ status: 201, text: '{"seat":"a","charge":"charge of a"}', replayed: false });
    expect(await post("alice", alice)).toEqual({ ...first, replayed: true });
    expect(charged).toEqual(["a"]);
  });

  test("whose client hangs up during the effect ends, and the retry is told", async () => {
    let reached = () => {};
    let go = () => {};
    const atEffect = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { charged, charge } = counted(async () => {
      reached();
      await gate;
      return "c1";
    });
    const operation = platform(charge);
    const post = await serve(adapter, operation);
    const client = new AbortController();
    const cut = post("alice", alice, client.signal);
    await atEffect;
    client.abort();
    await expect(cut).rejects.toThrow();
    expect(await post("alice", alice)).toMatchObject({ status: 409, code: "REPRISE_RUNNING" });
    expect(await post("alice", { ...alice, seat: "b" })).toMatchObject({ status: 422, code: "REPRISE_MISMATCH" });
    go();
    // waits for the attempt in flight
    await operation.execute(alice, { key: "k1", wait: "10s" });
    expect(await post("alice", alice)).toMatchObject({
      status: 200,
      text: '{"seat":"a","charge":"c1"}',
      replayed: true,
    });
    expect(charged).toEqual(["a"]);
  });

  test("tells nobody another's outcome under the same key", async () => {
    const { charged, charge } = counted();
    const post = await serve(adapter, platform(charge));
    await post("alice", alice);
    expect(await post("bob", alice)).toMatchObject({ status: 403, code: "REPRISE_PRINCIPAL_DIFFERS" });
    expect(await post("bob", { user: "bob", seat: "b" })).toMatchObject({ status: 200, replayed: false });
    expect(charged).toEqual(["a", "b"]);
  });

  test("compares its input by what it says, whatever the order of its members", async () => {
    const { charged, charge } = counted();
    const post = await serve(adapter, platform(charge));
    const first = await post("alice", { user: "alice", seat: "a" });
    expect(await post("alice", { seat: "a", user: "alice" })).toEqual({ ...first, replayed: true });
    expect(charged).toEqual(["a"]);
  });

  test("is another work than a second operation under the same key", async () => {
    const { charge } = counted();
    const reprise = createReprise({ service: "test", owner: "team", undecided: "listed", ledger: memoryLedger() });
    closing.push(() => reprise.close());
    const [book, cancel] = ["seat.book", "seat.cancel"].map((name) =>
      reprise.operation({
        name,
        input: booking,
        principal: ({ user }) => user,
        identity: "callers-key",
        retention: "1d",
        effects: "external",
        run: async ({ input }) => ({ name, charge: await charge(input.seat) }),
      }),
    );
    const first = await (await serve(adapter, book))("alice", alice);
    const second = await (await serve(adapter, cancel))("alice", { user: "alice", seat: "b" });
    expect(first).toMatchObject({ status: 200, text: '{"name":"seat.book","charge":"charge of a"}', replayed: false });
    expect(second).toMatchObject({
      status: 200,
      text: '{"name":"seat.cancel","charge":"charge of b"}',
      replayed: false,
    });
  });

  test("keeps its refusal", async () => {
    const { charged, charge } = counted();
    const post = await serve(adapter, platform(charge));
    const first = await post("alice", { user: "alice", seat: "none" });
    expect(first).toMatchObject({ status: 410, code: "REPRISE_REFUSED", replayed: false });
    expect(await post("alice", { user: "alice", seat: "none" })).toEqual({ ...first, replayed: true });
    expect(charged).toEqual([]);
  });

  test("loses no outcome and charges once although its reply fails", async () => {
    let broken = true;
    const { charged, charge } = counted();
    const post = await serve(adapter, platform(charge), {
      failed: () => {},
      reply: (value) => {
        if (broken) throw new Error("no reply");
        return { body: value as object };
      },
    });
    expect(await post("alice", alice)).toMatchObject({ status: 500, code: "REPRISE_REPLY_FAILED" });
    broken = false;
    expect(await post("alice", alice)).toMatchObject({ status: 200, replayed: true });
    expect(charged).toEqual(["a"]);
  });

  test("that ran in the process before is told from its value", async () => {
    const { charged, charge } = counted();
    const operation = platform(charge);
    await operation.execute(alice, { key: "k1" });
    const post = await serve(adapter, operation);
    expect(await post("alice", alice)).toMatchObject({
      status: 200,
      text: '{"seat":"a","charge":"charge of a"}',
      replayed: true,
    });
    expect(charged).toEqual(["a"]);
  });

  test("refuses an input that its schema does not take", async () => {
    const { charged, charge } = counted();
    const post = await serve(adapter, platform(charge));
    const answer = await post("alice", { user: "alice" });
    expect(answer).toMatchObject({ status: 400, code: "REPRISE_INPUT_INVALID" });
    expect(answer.text).toContain("seat: is missing");
    expect(charged).toEqual([]);
  });

  test("keeps nothing over the size that it declares, and runs again once it is within", async () => {
    let seats = 2_000;
    const reprise = createReprise({ service: "test", owner: "team", undecided: "listed", ledger: memoryLedger() });
    closing.push(() => reprise.close());
    const list = reprise.operation({
      name: "seats.list",
      input: booking,
      principal: ({ user }) => user,
      identity: "callers-key",
      retention: "1d",
      effects: "external",
      outcomeLimit: "1kb",
      run: async () => "x".repeat(seats),
    });
    const post = await serve(adapter, list, { failed: () => {}, reply: (value) => ({ body: { value } }) });
    expect(await post("alice", alice)).toMatchObject({ status: 500, code: "REPRISE_RUN_FAILED" });
    seats = 10;
    expect(await post("alice", alice)).toMatchObject({ status: 200, replayed: false });
    expect(await post("alice", alice)).toMatchObject({ status: 200, replayed: true });
  });

  test("runs nothing unguarded while its ledger is away", async () => {
    const { charged, charge } = counted();
    const claim = () => Promise.reject(new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "test", doing: "claim" }));
    const post = await serve(adapter, platform(charge, { ...memoryLedger(), claim }));
    expect(await post("alice", alice)).toMatchObject({ status: 503, code: "REPRISE_LEDGER_AWAY" });
    expect(charged).toEqual([]);
  });

  test("whose effect failed may be repeated", async () => {
    let down = true;
    const { charge } = counted(async () => {
      if (down) throw new Error("card 4111 refused by network");
      return "c1";
    });
    const post = await serve(adapter, platform(charge), { failed: () => {} });
    const answer = await post("alice", alice);
    expect(answer).toMatchObject({ status: 500, code: "REPRISE_RUN_FAILED" });
    expect(answer.text).not.toContain("4111");
    down = false;
    expect(await post("alice", alice)).toMatchObject({ status: 200, replayed: false });
  });
});
