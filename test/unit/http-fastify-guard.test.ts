import fastify from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { idempotent } from "../../src/transports/http/fastify.ts";

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** A reply as Fastify has it, whose methods return it. */
interface Reply {
  code(status: number): Reply;
  send(payload?: unknown): Reply;
}
type Handler = (request: unknown, reply: Reply) => unknown;

/** The same handler by itself and guarded. */
async function stage(handler: Handler) {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const app = fastify();
  ending.push(
    () => app.close(),
    () => reprise.close(),
  );
  const options = { principal: "everyone", retention: "1d", costIfTwice: "noise" } as const;
  app.post("/bare", handler as never);
  app.post(
    "/guarded",
    idempotent(reprise, { ...options, name: "order", effects: "external", ifUnknown: "park" }, handler as never),
  );
  const ask = async (url: string) => {
    const { statusCode, body } = await app.inject({ method: "POST", url, headers: { "idempotency-key": '"k"' } });
    return { statusCode, body };
  };
  return { bare: () => ask("/bare"), guarded: () => ask("/guarded") };
}

describe("a guarded handler of Fastify answers as it does by itself, and so again,", () => {
  test.each<[string, Handler]>([
    ["where a promise of nothing follows code(204)", async (_, reply) => void reply.code(204)],
    ["where it sends nothing with 204", async (_, reply) => reply.code(204).send()],
    ["where it sends without a promise", (_, reply) => void reply.code(201).send({ made: 1 })],
    ["where it returns null", async () => null],
    ["where it returns an empty text", async () => ""],
    ["where it returns an object", async () => ({ made: 1 })],
    [
      "where it sends after it returned its reply",
      async (_, reply) => {
        setTimeout(() => reply.code(202).send("later"), 20);
        return reply;
      },
    ],
  ])("%s", async (_, handler) => {
    const { bare, guarded } = await stage(handler);
    const expected = await bare();
    expect(await guarded()).toEqual(expected);
    expect(await guarded()).toEqual(expected);
  });
});

test.each([
  [
    "retry",
    "Safe to retry with the same key for 1d, counted from its completion. A crash before its answer is kept may have it done twice.",
  ],
  ["park", "Safe to retry with the same key for 1d, counted from its completion."],
] as const)("the contract of a guard that says '%s' promises no more than that keeps", async (ifUnknown, promise) => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  ending.push(() => reprise.close());
  const options = { principal: "everyone", retention: "1d", costIfTwice: "noise", effects: "external" } as const;
  idempotent(reprise, { ...options, name: "order", ifUnknown }, async () => "made");
  expect(reprise.decisions()).toMatchObject([{ contract: { promise } }]);
});
