import { afterEach, describe, expect, test, vi } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import { standIn } from "../../src/testing/http-stand-in.ts";
import { honoHandler } from "../../src/transports/http/hono.ts";
import { type WebCarrier, webHandler } from "../../src/transports/http/web.ts";

type Carrier = WebCarrier<unknown, unknown, never>;

function post(body: BodyInit | null, headers: Record<string, string> = {}): Request {
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    headers: { "idempotency-key": "k1", ...headers },
    body,
    duplex: "half",
  };
  return new Request("http://localhost/", init);
}

async function answer(carrier: Partial<Carrier>, request: Request) {
  const work = standIn();
  const handle = webHandler(work.operation, {
    input: (given) => given.json() as Promise<unknown>,
    principal: "everyone",
    ...carrier,
  } as Carrier);
  const response = await handle(request);
  const text = await response.text();
  return {
    status: response.status,
    code: text === "" ? null : (JSON.parse(text) as { code?: string }).code,
    runs: work.runs(),
    text,
  };
}

const endless = (told: { cancelled: boolean; chunks: number }) =>
  new ReadableStream<Uint8Array>({
    pull: (controller) => {
      told.chunks += 1;
      controller.enqueue(new Uint8Array(1_024));
    },
    cancel: () => {
      told.cancelled = true;
    },
  });

afterEach(() => vi.restoreAllMocks());

describe("a web request's body", () => {
  test("is cut off at its limit although no length was announced, and its sender is stopped", async () => {
    const told = { cancelled: false, chunks: 0 };
    const given = await answer({ bodyLimit: "8kb" }, post(endless(told)));
    expect(given).toMatchObject({ status: 413, code: "REPRISE_BODY_TOO_LARGE", runs: 0 });
    expect(told.cancelled).toBe(true);
    expect(told.chunks).toBeLessThan(16);
  });

  test("is cut off although its Content-Length lies", async () => {
    const request = post(new TextEncoder().encode(JSON.stringify({ item: "x".repeat(9_000) })), {
      "content-length": "2",
    });
    expect(await answer({ bodyLimit: "8kb" }, request)).toMatchObject({ status: 413, runs: 0 });
  });

  test("of exactly the limit is read", async () => {
    const body = JSON.stringify({ item: "x".repeat(1_024 - 11) });
    expect(body).toHaveLength(1_024);
    expect(await answer({ bodyLimit: "1kb" }, post(body))).toMatchObject({ status: 200 });
    expect(await answer({ bodyLimit: "1kb" }, post(`${body} `))).toMatchObject({ status: 413 });
  });

  test("that input swallows the failure of still runs nothing it did not give", async () => {
    const input = async (request: Request) => request.text().catch(() => ({ item: "default" }));
    expect(await answer({ bodyLimit: "1kb", input }, post("x".repeat(2_000)))).toMatchObject({ status: 413, runs: 0 });
  });
});

describe("what input and principal throw", () => {
  test("of the catalogue is told by its status", async () => {
    const input = () => {
      throw new RepriseError("REPRISE_LOAD_TIMEOUT", { cache: "seats", afterMs: 5 });
    };
    expect(await answer({ input }, post("{}"))).toMatchObject({ status: 503, code: "REPRISE_LOAD_TIMEOUT", runs: 0 });
  });

  test.each(["input", "principal"] as const)("else is 500 without its message, and %s is named", async (part) => {
    const failures: Error[] = [];
    const fail = () => {
      throw new Error("secret");
    };
    const given = await answer({ [part]: fail, failed: (error) => failures.push(error) }, post("{}"));
    expect(given).toMatchObject({ status: 500, code: "REPRISE_CARRIER_FAILED", runs: 0 });
    expect(given.text).not.toContain("secret");
    expect(failures[0]).toMatchObject({ details: { part }, cause: { message: "secret" } });
  });

  test("of a parser is told without what it quotes of a request", async () => {
    const failures: Error[] = [];
    const principal = () => JSON.parse("secret token") as string;
    const given = await answer({ principal, failed: (error) => failures.push(error) }, post("{}"));
    expect(given).toMatchObject({ status: 500, code: "REPRISE_CARRIER_FAILED", runs: 0 });
    expect(failures).toMatchObject([{ details: { part: "principal" } }]);
    expect(failures[0]?.cause).toBeUndefined();
  });

  test("is logged where nothing else was declared, and a failing log takes no answer away", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {
      throw new Error("no console");
    });
    const input = () => Promise.reject(new Error("secret"));
    expect(await answer({ input }, post("{}"))).toMatchObject({ status: 500 });
    expect(logged).toHaveBeenCalledTimes(1);
  });

  test("a request that nobody is behind is refused before its body is read", async () => {
    const told = { cancelled: false, chunks: 0 };
    const request = post(endless(told));
    const given = await answer({ principal: () => "" }, request);
    expect(given).toMatchObject({ status: 403, code: "REPRISE_PRINCIPAL_EMPTY", runs: 0 });
    expect([request.bodyUsed, request.body?.locked]).toEqual([false, false]);
  });
});

test.each([
  ["webHandler", (given: never, carrier: never) => webHandler(given, carrier)],
  ["honoHandler", (given: never, carrier: never) => honoHandler(given, carrier)],
])("%s refuses what is no operation", (_, declare) => {
  const carrier = { principal: "everyone", input: () => undefined } as never;
  for (const given of [{}, null, undefined]) {
    expect(() => declare(given as never, carrier)).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }),
    );
  }
});
