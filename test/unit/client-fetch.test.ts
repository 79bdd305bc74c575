import { describe, expect, test } from "vitest";
import { createIdempotentFetch, memoryKeys } from "../../src/client/index.ts";
import { answers, breaksOff, resets } from "../support/scripted-server.ts";
import { codeOf, stage } from "./client-stand.ts";

test.each([307, 308])("a %i is followed with the body, and with the key", async (status) => {
  const { charge, keysSent, server } = await stage([
    answers(status, { location: "/elsewhere" }),
    answers(201, {}, "made"),
  ]);
  const response = await charge();
  expect([response.status, await response.text()]).toEqual([201, "made"]);
  expect(new Set(keysSent()).size).toBe(1);
  const [first, second] = server.received;
  expect(first?.body.toString()).toBe('{"amount":3}');
  expect(second?.body).toEqual(first?.body);
});

describe("a key", () => {
  test("is sent as a structured field's String, and goes with its intent once the answer is there", async () => {
    const { charge, keysSent, keys } = await stage([answers(201, {}, "made")]);
    const first = await charge();
    expect([first.status, await first.text()]).toEqual([201, "made"]);
    expect(await keys.get("order-4711")).toBeNull();
    await charge();
    const [one, two] = keysSent();
    expect(one).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(two).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(one).not.toBe(two);
  });

  test("is kept before the first byte is sent", async () => {
    const kept: unknown[] = [];
    const { charge, keysSent, keys } = await stage([
      async (response) => {
        kept.push(await keys.get("order-4711"));
        response.end();
      },
    ]);
    await charge();
    expect(kept).toEqual([expect.objectContaining({ key: keysSent()[0]?.slice(1, -1) })]);
  });

  test("is shared by calls of the same intent at once", async () => {
    const { charge, keysSent, server } = await stage([
      async (response) => {
        await server.hasReceived(5);
        response.end();
      },
    ]);
    await Promise.all(Array.from({ length: 5 }, () => charge()));
    expect(keysSent()).toHaveLength(5);
    expect(new Set(keysSent()).size).toBe(1);
  });

  test("of an answered call does not take the key of new work with it", async () => {
    const keys = memoryKeys();
    await keys.put("a", { key: "new", print: "p", madeAt: 0 });
    await keys.delete("a", "old");
    expect(await keys.get("a")).toMatchObject({ key: "new" });
  });

  test("stays until the caller deletes it, where he says so", async () => {
    const { charge, keysSent, keys } = await stage([answers(200)], { release: "by-caller" });
    await charge();
    await charge();
    await keys.delete("order-4711");
    await charge();
    const [one, two, three] = keysSent();
    expect(one).toBe(two);
    expect(three).not.toBe(one);
  });

  test("that the caller has is sent as it is, and nothing is kept", async () => {
    const { request, server, keysSent, keys } = await stage([answers(503), answers(200)]);
    const key = 'effect "7" \\ of 9';
    await request(server.address, { method: "PUT", key });
    expect(keysSent()).toEqual(['"effect \\"7\\" \\\\ of 9"', '"effect \\"7\\" \\\\ of 9"']);
    expect(await keys.get(key)).toBeNull();
  });

  test("that is older than the server keeps it is never sent", async () => {
    const { charge, keys, clock, server } = await stage([resets], { retention: "24h", deadline: "70s" });
    expect(await codeOf(charge())).toBe("REPRISE_MAY_HAVE_HAPPENED");
    const sent = server.received.length;
    const kept = await keys.get("order-4711");
    if (kept === null) throw new Error("the key was not kept");
    const keptFor = async (ms: number) => {
      await keys.delete("order-4711");
      await keys.put("order-4711", { ...kept, madeAt: clock.now() - ms });
      return codeOf(charge());
    };
    // the last attempt of a call is still within what the server keeps
    expect(await keptFor(86_400_000 - 69_000)).toBe("REPRISE_KEY_OUTLIVED");
    expect(server.received).toHaveLength(sent);
    expect(await keptFor(86_400_000 - 71_000)).toBe("REPRISE_MAY_HAVE_HAPPENED");
    expect(server.received.length).toBeGreaterThan(sent);
  });
});

describe("what is asked again", () => {
  test.each([408, 425, 429, 500, 502, 503, 504])("%i, under the same key, with the same bytes", async (status) => {
    const { charge, server, keysSent } = await stage([answers(status), answers(status), answers(200, {}, "done")]);
    expect(await (await charge()).text()).toBe("done");
    expect(server.received).toHaveLength(3);
    expect(new Set(keysSent()).size).toBe(1);
    expect(new Set(server.received.map(({ body }) => body.toString("hex"))).size).toBe(1);
    expect(server.received[2]?.headers["content-type"]).toBe("application/json");
  });

  test("what a reset connection left unanswered", async () => {
    const { charge, keysSent } = await stage([resets, answers(200)]);
    expect((await charge()).status).toBe(200);
    expect(keysSent()[1]).toBe(keysSent()[0]);
  });

  test("an answer that broke off in its middle: half of it has told nothing", async () => {
    const { charge, keysSent } = await stage([breaksOff, answers(200, {}, "1234567890")]);
    expect(await (await charge()).text()).toBe("1234567890");
    expect(keysSent()[1]).toBe(keysSent()[0]);
  });

  test("409, which says that the work is still going on", async () => {
    const running = answers(409, { "content-type": "application/problem+json", "retry-after": "1" }, "{}");
    const { charge, keysSent, clock } = await stage([running, running, answers(200)]);
    expect((await charge()).status).toBe(200);
    expect(new Set(keysSent()).size).toBe(1);
    for (const pause of clock.pauses) expect(pause).toBeGreaterThanOrEqual(1_000);
  });

  test("not a refusal, nor a mismatch, nor what the server does not do", async () => {
    for (const status of [400, 401, 402, 403, 404, 405, 410, 413, 422, 501, 507]) {
      const { charge, server } = await stage([answers(status)]);
      expect((await charge()).status).toBe(status);
      expect(server.received).toHaveLength(1);
    }
  });

  test("not a 409 that is a refusal by its code, or marked as a replay", async () => {
    const coded = answers(409, { "content-type": "application/problem+json" }, '{"code":"REPRISE_REFUSED"}');
    const first = await stage([coded]);
    expect((await first.charge()).status).toBe(409);
    expect(first.server.received).toHaveLength(1);
    const replay = await stage([answers(409), answers(409, { "idempotency-replayed": "true" })]);
    expect((await replay.charge()).status).toBe(409);
    expect(replay.server.received).toHaveLength(2);
  });

  test("not a failure that the server has kept for good, and its key stays: what happened is not known", async () => {
    const { charge, server, keys } = await stage([answers(500, { "idempotent-replayed": "true" })]);
    expect((await charge()).status).toBe(500);
    expect(server.received).toHaveLength(1);
    expect(await keys.get("order-4711")).not.toBeNull();
  });
});

describe("a refusal", () => {
  test("of the first attempt frees its intent for a corrected body", async () => {
    const { charge, keysSent } = await stage([answers(402), answers(201)]);
    expect((await charge()).status).toBe(402);
    expect((await charge({ body: '{"amount":2}' })).status).toBe(201);
    expect(keysSent()[1]).not.toBe(keysSent()[0]);
  });

  test("after an attempt that may have done the work keeps the key, and a marked replay ends that doubt", async () => {
    const { charge, keysSent, keys } = await stage([
      resets,
      answers(404),
      answers(402, { "idempotency-replayed": "true" }),
    ]);
    expect((await charge()).status).toBe(404);
    expect(await keys.get("order-4711")).not.toBeNull();
    expect((await charge()).status).toBe(402);
    expect(new Set(keysSent()).size).toBe(1);
    expect(await keys.get("order-4711")).toBeNull();
  });

  test("after attempts that were not tried, 425 and 429, leaves no doubt", async () => {
    const { charge, keys } = await stage([answers(429), answers(425), answers(402)]);
    expect((await charge()).status).toBe(402);
    expect(await keys.get("order-4711")).toBeNull();
  });

  test.each([401, 403, 407])("%i speaks of the caller: the key stays for the same work", async (status) => {
    const { charge, keysSent } = await stage([answers(status), answers(200)]);
    await charge();
    await charge();
    expect(keysSent()[1]).toBe(keysSent()[0]);
  });
});

describe("Retry-After", () => {
  test("in seconds is waited for, and a pause drawn on top of it", async () => {
    const { charge, clock } = await stage([answers(503, { "retry-after": "7" }), answers(200)]);
    await charge();
    expect(clock.pauses).toHaveLength(1);
    expect(clock.pauses[0]).toBeGreaterThanOrEqual(7_000);
    expect(clock.pauses[0]).toBeLessThan(7_200);
  });

  test("as a date is taken by the server's clock", async () => {
    const date = "Thu, 01 Jan 2099 00:00:00 GMT";
    const { charge, clock } = await stage([
      answers(429, { date, "retry-after": "Thu, 01 Jan 2099 00:00:09 GMT" }),
      answers(200),
    ]);
    await charge();
    expect(clock.pauses[0]).toBeGreaterThanOrEqual(9_000);
    expect(clock.pauses[0]).toBeLessThan(9_200);
  });

  test("beyond the deadline ends the call at once", async () => {
    const { charge, server, clock } = await stage([answers(503, { "retry-after": "86400" })]);
    expect(await codeOf(charge())).toBe("REPRISE_MAY_HAVE_HAPPENED");
    expect([server.received.length, clock.pauses.length]).toEqual([1, 0]);
  });
});

describe("what is refused before anything is sent", () => {
  test("other work under an intent whose end is not known", async () => {
    const { charge, request, server } = await stage([resets], { deadline: "70s" });
    expect(await codeOf(charge())).toBe("REPRISE_MAY_HAVE_HAPPENED");
    const sent = server.received.length;
    expect(await codeOf(charge({ body: '{"amount":4}' }))).toBe("REPRISE_INTENT_MISMATCH");
    for (const [method, path] of [
      ["PUT", "/charges"],
      ["POST", "/refunds"],
    ] as const) {
      const call = request(`${server.address}${path}`, { method, body: '{"amount":3}', intent: "order-4711" });
      expect(await codeOf(call)).toBe("REPRISE_INTENT_MISMATCH");
    }
    expect(server.received).toHaveLength(sent);
  });

  const stream = () => new ReadableStream({ start: (controller) => controller.close() });
  const refused: readonly (readonly [string, Record<string, unknown>])[] = [
    ["a stream", { body: stream(), duplex: "half" }],
    ["an async iterable", { body: (async function* () {})(), duplex: "half" }],
    ["a form, whose boundary is drawn anew each time", { body: new FormData() }],
    ["a plain object", { body: { amount: 3 } }],
    ["a read", { method: "GET" }],
    ["no method", { method: undefined }],
    ["a key of its own among the headers", { headers: { "Idempotency-Key": "k" } }],
    ["no intent", { intent: undefined }],
    ["an empty intent", { intent: "" }],
    ["a key that no structured field holds", { intent: undefined, key: "schlüssel" }],
    ["an empty key", { intent: undefined, key: "" }],
    ["an intent beside a key", { key: "own" }],
  ];
  test.each(refused)("%s", async (_, init) => {
    const { request, server, keys } = await stage([answers(200)]);
    const call = request(server.address, { method: "POST", intent: "a", ...init } as never);
    expect(await codeOf(call)).toBe("REPRISE_BAD_DECLARATION");
    expect([server.received.length, await keys.get("a")]).toEqual([0, null]);
  });

  test("an intent without keys, and a retention that ends before the deadline", async () => {
    const request = createIdempotentFetch() as ReturnType<typeof createIdempotentFetch>;
    const call = request("http://127.0.0.1:1", { method: "POST", intent: "a" } as never);
    expect(await codeOf(call)).toBe("REPRISE_BAD_DECLARATION");
    expect(() => createIdempotentFetch({ keys: memoryKeys(), deadline: "2h", retention: "1h" })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }),
    );
    expect(() => createIdempotentFetch({ deadline: "0s" })).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DURATION" }),
    );
  });

  test("anything, when the keys fail; when they fail only to forget, the answer is handed over", async () => {
    const fails = () => {
      throw new Error("no disk");
    };
    const failing = await stage([answers(200)], { keys: { ...memoryKeys(), put: fails } });
    expect(await codeOf(failing.charge())).toBe("REPRISE_KEYS_UNUSABLE");
    expect(failing.server.received).toEqual([]);
    const keeping = await stage([answers(200)], { keys: { ...memoryKeys(), delete: fails } });
    expect((await keeping.charge()).status).toBe(200);
  });
});

describe("a body", () => {
  const bytes = new Uint8Array([0, 255, 10, 13, 128]);
  const kinds: readonly (readonly [string, () => string | URLSearchParams | Blob | Uint8Array<ArrayBuffer>, string])[] =
    [
      ["text", () => "grün", "text/plain;charset=UTF-8"],
      ["bytes", () => bytes.slice(), ""],
      ["a blob", () => new Blob([bytes], { type: "image/png" }), "image/png"],
      ["parameters", () => new URLSearchParams({ a: "1 2" }), "application/x-www-form-urlencoded;charset=UTF-8"],
    ];
  test.each(kinds)("of %s is the same with each attempt, and is told as fetch tells it", async (_, make, type) => {
    const { request, server } = await stage([resets, answers(503), answers(200)]);
    await request(server.address, { method: "POST", intent: "a", body: make() });
    const expected = Buffer.from(await new Response(make()).arrayBuffer());
    for (const { body, headers } of server.received) {
      expect(body).toEqual(expected);
      expect(headers["content-type"] ?? "").toBe(type);
    }
    expect(server.received).toHaveLength(3);
  });

  test("that its owner changes after the call is sent as it was", async () => {
    const { request, server } = await stage([resets, answers(200)]);
    const own = bytes.slice();
    const call = request(server.address, { method: "POST", intent: "a", body: own });
    own.fill(7);
    await call;
    for (const { body } of server.received) expect([...body]).toEqual([...bytes]);
  });

  test("may be left out", async () => {
    const { request, server } = await stage([resets, answers(204)]);
    expect((await request(server.address, { method: "DELETE", intent: "a" })).status).toBe(204);
    expect(server.received.map(({ body }) => body.length)).toEqual([0, 0]);
  });
});
