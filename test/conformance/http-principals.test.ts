import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import type { PostgresTransaction } from "../../src/stores/postgres/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import type { HttpAdapter, HttpServer, ServedOperation } from "../../src/testing/http-adapter.ts";
import { cannotRunHere } from "../support/environment.ts";
import { postgresVersion, sharedPlace } from "../support/postgres.ts";
import { type GuardAdapter, guards } from "./guards.ts";
import { httpAdapters } from "./http-adapters.ts";

/** Alice's key under Bob's session: his own execution or a refusal, never her answer, on ledgers that keep it. */

const noPostgres = (await postgresVersion()) === undefined ? `${cannotRunHere}no PostgreSQL answers` : undefined;
const shared = sharedPlace();
const directory = mkdtempSync(join(tmpdir(), "reprise-principals-"));
const onFile = sqliteLedger({ path: join(directory, "ledger.db") });
let onServer: Ledger<PostgresTransaction>;
beforeAll(async () => {
  if (noPostgres === undefined) onServer = await (await shared.place()).ledger("pg");
});
afterAll(async () => {
  await onFile.close();
  await shared.drop();
  rmSync(directory, { recursive: true, force: true });
});
const stores = [
  { store: "SQLite", missing: undefined, ledger: (): Ledger<unknown> => onFile },
  { store: "PostgreSQL", missing: noPostgres, ledger: (): Ledger<unknown> => onServer },
];

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Booking {
  readonly user: string;
  readonly seat: string;
}

/** Posts as whoever the session says, all under one key. */
function posting(server: HttpServer) {
  closing.push(server.close);
  return async (session: string, input: object) => {
    const { status, headers, body } = await server.send({
      headers: [
        ["content-type", "application/json"],
        ["idempotency-key", '"alices-key"'],
        ["x-session", session],
      ],
      body: JSON.stringify(input),
    });
    return { status, replayed: headers.get("idempotency-replayed") === "true", text: Buffer.from(body).toString() };
  };
}

let services = 0;
const newService = (ledger: Ledger<unknown>) => {
  services += 1;
  return createReprise({ service: `shop ${services}`, undecided: "listed", ledger });
};

async function serveOperation(
  adapter: HttpAdapter,
  ledger: Ledger<unknown>,
  declared: { readonly effects: "external" | "database"; readonly identity: "callers-key" | "from-input" },
) {
  const runs: string[] = [];
  const reprise = newService(ledger);
  const common = {
    name: "seat.book",
    input: unchecked<Booking>(),
    principal: ({ user }: Booking) => user,
    retention: "1d",
  } as const;
  const identity = declared.identity === "callers-key" ? declared.identity : ({ seat }: Booking) => [seat];
  const run = async ({ input }: { readonly input: Booking }) => {
    runs.push(input.user);
    return { ticketOf: input.user };
  };
  const operation =
    declared.effects === "external"
      ? reprise.operation({ ...common, identity, effects: "external", run })
      : reprise.operation({ ...common, identity, effects: "database", run });
  const server = await adapter.serve({
    operation: operation as unknown as ServedOperation["operation"],
    carrier: {},
    principal: "session",
    bodyLimitBytes: 2_048,
  });
  return { post: posting(server), runs };
}

describe.each(stores)("on $store, alice's key under bob's session", ({ missing, ledger }) => {
  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing);
  });
  const modes = (["external", "database"] as const).flatMap((effects) =>
    (["callers-key", "from-input"] as const).map((identity) => ({ effects, identity })),
  );
  const operations = httpAdapters.flatMap((adapter) => modes.map((mode) => ({ at: adapter.name, adapter, ...mode })));
  test.each(operations)(
    "P11 never gets her answer from an operation behind $at ($effects, $identity)",
    async ({ adapter, effects, identity }) => {
      const { post, runs } = await serveOperation(adapter, ledger(), { effects, identity });
      const hers = await post("alice", { user: "alice", seat: "a" });
      expect(hers).toMatchObject({ status: 200, replayed: false, text: '{"ticketOf":"alice"}' });
      // her own request, sent by him; and one that says neither
      for (const stolen of [
        await post("bob", { user: "alice", seat: "a" }),
        await post("", { user: "alice", seat: "a" }),
      ]) {
        expect(stolen.status).toBe(403);
        expect(stolen.text).not.toContain("ticketOf");
      }
      const his = await post("bob", { user: "bob", seat: "a" });
      expect(his).toMatchObject({ status: 200, replayed: false, text: '{"ticketOf":"bob"}' });
      expect(await post("bob", { user: "bob", seat: "a" })).toEqual({ ...his, replayed: true });
      expect(await post("alice", { user: "alice", seat: "a" })).toEqual({ ...hers, replayed: true });
      expect(runs).toEqual(["alice", "bob"]);
    },
  );

  const ways = [{ effects: "external", ifUnknown: "retry" }, { effects: "database" }] as const;
  const handlers = guards.flatMap((adapter) => ways.map((way) => ({ at: adapter.name, adapter, way, ...way })));
  test.each(handlers)(
    "P11 never gets her answer from a handler behind the guard of $at ($effects)",
    async ({ adapter, way }) => {
      let called = 0;
      const reprise = newService(ledger()) as unknown as Parameters<GuardAdapter["serve"]>[0];
      const server = await adapter.serve(reprise, { ...way, name: "seat.book", retention: "1d" }, async ({ item }) => {
        called += 1;
        return { status: 201, body: { ticket: called, item } };
      });
      const post = posting(server);
      const hers = await post("alice", { item: "a" });
      expect(hers).toEqual({ status: 201, replayed: false, text: '{"ticket":1,"item":"a"}' });
      const his = await post("bob", { item: "a" });
      expect(his).toEqual({ status: 201, replayed: false, text: '{"ticket":2,"item":"a"}' });
      expect((await post("", { item: "a" })).status).toBe(403);
      expect(await post("alice", { item: "a" })).toEqual({ ...hers, replayed: true });
      expect(await post("bob", { item: "a" })).toEqual({ ...his, replayed: true });
      expect(called).toBe(2);
    },
  );
});
