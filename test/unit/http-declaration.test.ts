import { describe, expect, test } from "vitest";
import type { CarriedContract } from "../../src/operation/carry.ts";
import { standIn } from "../../src/testing/http-stand-in.ts";
import { fastifyHandler } from "../../src/transports/http/fastify.ts";
import { type WebCarrier, webHandler } from "../../src/transports/http/web.ts";

type Carrier = WebCarrier<unknown, unknown, never>;
const declare = (contract: Partial<CarriedContract>, carrier: Partial<Carrier>) => () =>
  webHandler(standIn({ contract }).operation, { input: () => ({}), principal: "everyone", ...carrier } as Carrier);

describe("an HTTP carrier is refused when it is declared", () => {
  test.each<[string, Partial<CarriedContract>, Partial<Carrier>]>([
    ["with 'everyone' for an operation of one principal each", { principal: "from-input" }, {}],
    ["with an optional key that is the identity", { identity: "callers-key" }, { key: { header: "optional" } }],
    ["with a refusal that is not declared", {}, { refused: { "no-such": () => ({}) } as object }],
    ["with a refusal that every object has", {}, { refused: { toString: () => ({}) } as object }],
    ["with a contract that would end its link", {}, { contract: '/c>; rel="next' }],
    ["with a contract that would begin a header", {}, { contract: "/c\r\nset-cookie:a=b" }],
  ])("%s", (_, contract, carrier) => {
    expect(declare(contract, carrier)).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }));
  });

  test("with callers who retry for longer than outcomes are kept, and is told how long to keep them", () => {
    const kept = { retentionMs: 24 * 3_600_000 };
    expect(declare(kept, { retriesFor: "72h" })).toThrow(
      expect.objectContaining({
        code: "REPRISE_BAD_DECLARATION",
        message: expect.stringContaining('Declare retention: "72h" or longer'),
      }),
    );
    expect(declare(kept, { retriesFor: "24h" })).not.toThrow();
    expect(declare({ retentionMs: null }, { retriesFor: "72h" })).not.toThrow();
    expect(declare(kept, { retriesFor: "3 days" as "3d" })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DURATION" }),
    );
  });

  test("with a body limit of zero", () => {
    expect(declare({}, { bodyLimit: "0b" })).toThrow(expect.objectContaining({ code: "REPRISE_BAD_SIZE" }));
  });

  test("by Fastify's adapter too", () => {
    const { operation } = standIn({ contract: { principal: "from-input" } });
    expect(() => fastifyHandler(operation, { input: () => ({}), principal: "everyone" })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }),
    );
  });
});

describe("a key", () => {
  test("may be missing by default where no outcome is kept to find", async () => {
    const { operation } = standIn({ contract: { retentionMs: null } });
    const handle = webHandler(operation, { input: () => ({ item: "a" }), principal: "everyone" });
    expect((await handle(new Request("http://localhost/", { method: "POST" }))).status).toBe(200);
  });
});
