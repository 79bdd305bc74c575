import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fastify from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createIdempotentFetch, memoryKeys } from "../../src/client/index.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { fastifyHandler } from "../../src/transports/http/fastify.ts";
import { webHandler } from "../../src/transports/http/web.ts";
import { hurryingClock } from "../support/hurrying-clock.ts";
import { serveWeb } from "../support/web-server.ts";

/** The client and the server that it is made for, on real sockets and a real ledger. */

interface Order {
  readonly user: string;
  readonly reference: string;
  readonly seats: number;
}

let directory: string;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "reprise-client-"));
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});

/** What happened on the server's side, and how a test gets in between. */
interface Backstage {
  charges: number;
  /** Awaited by each charge. */
  charged: () => Promise<void>;
  /** Called with the status of each answer; `false` cuts the connection instead of sending it. */
  deliver: (status: number) => boolean;
}

function declare(backstage: Backstage) {
  const reprise = createReprise({
    service: "booking",
    undecided: "listed",
    ledger: sqliteLedger({ path: join(directory, "ledger.db") }),
  });
  closing.push(() => reprise.close());
  return reprise.operation({
    name: "seat.book",
    input: unchecked<Order>(),
    principal: (input) => input.user,
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    refusals: { "sold-out": { status: 409, because: "No seat is left." } },
    run: async ({ input, effect, refuse }) => {
      if (input.seats > 9) throw refuse("sold-out");
      const charge = await effect("charge", {
        ifUnknown: "retry",
        run: async () => {
          backstage.charges += 1;
          await backstage.charged();
          return backstage.charges;
        },
      });
      return { reference: input.reference, charge };
    },
  });
}

const servers = {
  web: async (backstage: Backstage) => {
    const handle = webHandler(declare(backstage), {
      input: (request) => request.json() as Promise<Order>,
      principal: () => "alice",
      key: { syntax: "strict" },
      reply: (booking) => ({ status: 201, body: booking }),
    });
    let status = 0;
    const server = await serveWeb(
      async (request) => {
        const response = await handle(request);
        status = response.status;
        return response;
      },
      () => backstage.deliver(status),
    );
    closing.push(server.close);
    return server.address;
  },
  fastify: async (backstage: Backstage) => {
    const app = fastify({ forceCloseConnections: true });
    app.addHook("onSend", async (_, reply, payload) => {
      if (!backstage.deliver(reply.statusCode)) reply.raw.destroy();
      return payload;
    });
    app.post(
      "/",
      fastifyHandler(declare(backstage), {
        input: (request) => request.body as Order,
        principal: () => "alice",
        key: { syntax: "strict" },
        reply: (booking) => ({ status: 201, body: booking }),
      }),
    );
    await app.listen({ host: "127.0.0.1", port: 0 });
    closing.push(() => app.close());
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  },
};

describe.each(Object.entries(servers))("an operation over %s", (_, serve) => {
  async function stage(given: Partial<Backstage> = {}) {
    const backstage: Backstage = { charges: 0, charged: async () => {}, deliver: () => true, ...given };
    const statuses: number[] = [];
    const { deliver } = backstage;
    backstage.deliver = (status) => {
      statuses.push(status);
      return deliver(status);
    };
    const address = await serve(backstage);
    const clock = hurryingClock(60_000);
    const keys = memoryKeys();
    const request = createIdempotentFetch({
      keys,
      clock,
      fetch: clock.fetch,
      deadline: "10000s",
      attempt: "60s",
    });
    const book = (intent: string, order: Partial<Order> = {}) =>
      request(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: "alice", reference: "r1", seats: 1, ...order }),
        intent,
      });
    return { address, backstage, statuses, request, book, keys };
  }

  test("whose answer is lost is charged once, and the caller gets the answer", async () => {
    let cuts = 2;
    const { book, backstage, statuses } = await stage({
      deliver: () => {
        cuts -= 1;
        return cuts < 0;
      },
    });
    const response = await book("order-1");
    expect([response.status, response.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
    expect(await response.json()).toEqual({ reference: "r1", charge: 1 });
    expect([backstage.charges, statuses]).toEqual([1, [201, 201, 201]]);
  });

  test("that is still running is asked for again by a second caller, and both get one answer", async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { book, backstage, statuses } = await stage({
      charged: () => gate,
      deliver: (status) => {
        if (status === 409) open();
        return true;
      },
    });
    const answers = await Promise.all([book("order-1"), book("order-1")]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    const [one, two] = await Promise.all(answers.map((answer) => answer.text()));
    expect(one).toBe(two);
    expect(backstage.charges).toBe(1);
    expect(statuses).toContain(409);
  });

  test("that refuses with 409 is not asked again, and its intent is free for a corrected order", async () => {
    const { book, backstage, statuses } = await stage();
    expect(await (await book("order-1", { seats: 10 })).json()).toMatchObject({ refusal: "sold-out" });
    expect(statuses).toEqual([409]);
    expect((await book("order-1", { seats: 2 })).status).toBe(201);
    expect(backstage.charges).toBe(1);
  });

  test("whose refusal is lost tells the same refusal, and then its intent is free", async () => {
    let cuts = 1;
    const { book, statuses, keys } = await stage({
      deliver: () => {
        cuts -= 1;
        return cuts < 0;
      },
    });
    const response = await book("order-1", { seats: 10 });
    expect([response.status, response.headers.get("idempotency-replayed")]).toEqual([409, "true"]);
    expect(statuses).toEqual([409, 409]);
    expect(await keys.get("order-1")).toBeNull();
  });

  test("that is sent other work under a key refuses it once, with 422", async () => {
    const { address, request, statuses, backstage } = await stage();
    const send = (seats: number) =>
      request(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user: "alice", reference: "r1", seats }),
        key: "k1",
      });
    expect((await send(1)).status).toBe(201);
    expect((await send(2)).status).toBe(422);
    expect([statuses, backstage.charges]).toEqual([[201, 422], 1]);
  });
});
