import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../../src/index.ts";
import { webHandler } from "../../../src/transports/http/web.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";
import { serveWeb } from "../../support/web-server.ts";
import { placeKinds } from "./places.ts";
import { openStore } from "./store.ts";

/** What callers over HTTP are told while the ledger's server is away, and when it is back. */

interface Seat {
  readonly seat: string;
}
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const networked = placeKinds.filter((kind) => kind.networked).map((kind) => [kind.name, kind] as const);

describe.each(networked)("behind HTTP, %s", (_, kind) => {
  beforeEach((context) => {
    if (kind.missing !== undefined) context.skip(kind.missing);
  });

  async function serve(effects: "external" | "database") {
    const place = await kind.open();
    closing.push(place.close);
    const { network } = place;
    if (network === null) throw new Error("there is no network");
    const proxy = await tcpProxy(network.server);
    closing.push(proxy.close);
    const store = await openStore(network.through(proxy.port), { deadline: "500ms" });
    closing.push(() => store.end().catch(() => undefined));
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger: store.ledger });
    closing.push(reprise.close);
    const common = {
      name: "seat.book",
      input: unchecked<Seat>(),
      principal: "everyone",
      identity: "callers-key",
      retention: "1d",
    } as const;
    let runs = 0;
    const operation =
      effects === "database"
        ? reprise.operation({
            ...common,
            effects,
            run: async ({ input, tx }) => {
              runs += 1;
              await store.book(tx, input.seat);
              return { booked: input.seat };
            },
          })
        : reprise.operation({
            ...common,
            effects,
            // a claim that was given up may arrive all the same, once the server is back: until its lease ends, work runs
            lease: "2s",
            run: async ({ input }) => {
              runs += 1;
              return { booked: input.seat };
            },
          });
    const handle = webHandler(operation, {
      input: (request) => request.json() as Promise<Seat>,
      principal: "everyone",
    });
    const { address, close } = await serveWeb(handle);
    closing.push(close);
    const post = async (key: string) => {
      const response = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": `"${key}"` },
        body: JSON.stringify({ seat: key }),
      });
      const body = (await response.json()) as Readonly<Record<string, unknown>>;
      return { status: response.status, type: response.headers.get("content-type"), body };
    };
    return { place, proxy, post, runs: () => runs };
  }

  const modes = kind.transactional ? (["external", "database"] as const) : (["external"] as const);
  const cases = modes.flatMap((effects) => (["refuse", "freeze"] as const).map((how) => [effects, how] as const));
  test.each(cases)(
    "%s work: where the server is away (%s), 503 with a problem and nothing runs; back, it goes on by itself",
    async (effects, how) => {
      const { place, proxy, post, runs } = await serve(effects);
      expect(await post("before")).toMatchObject({ status: 200, body: { booked: "before" } });

      proxy[how]();
      const away = await post("during");
      expect(away).toMatchObject({
        status: 503,
        type: "application/problem+json",
        // a pool whose connections do not come is away to one driver and busy to another
        body: { status: 503, code: expect.stringMatching(/^REPRISE_LEDGER_(?:AWAY|BUSY)$/) },
      });
      expect(runs()).toBe(1);

      if (how === "refuse") proxy.admit();
      else proxy.thaw();
      const told = new Set<number>();
      const again = async () => {
        const { status } = await post("during");
        told.add(status);
        return status;
      };
      // a driver may find out about each of its old connections first
      await expect.poll(again, { timeout: 30_000 }).toBe(200);
      expect([...told].filter((status) => ![200, 409, 503].includes(status))).toEqual([]);
      expect(await post("during")).toMatchObject({ status: 200, body: { booked: "during" } });
      expect(runs()).toBe(2);
      const booked = effects === "database" ? ["before", "during"] : [];
      expect([...(await place.bookings())].sort()).toEqual(booked);
    },
    60_000,
  );
});
