import { describe, expect, test } from "vitest";
import { answers, resets } from "../support/scripted-server.ts";
import { codeOf, stage } from "./client-stand.ts";

describe("accepted work", () => {
  const location = { location: "/status/1" };

  test("is handed over, and its key stays, unless it is to be followed", async () => {
    const { charge, server, keys } = await stage([answers(202, location)]);
    expect((await charge()).status).toBe(202);
    expect(server.received).toHaveLength(1);
    expect(await keys.get("order-4711")).not.toBeNull();
  });

  test("is followed until its status resource neither says 202 nor when to come back", async () => {
    const { charge, server, clock, keys } = await stage([
      answers(202, { ...location, "retry-after": "3" }),
      answers(202),
      resets,
      answers(503),
      answers(200, { "retry-after": "2" }, '{"state":"running"}'),
      answers(200, {}, '{"state":"done"}'),
    ]);
    const response = await charge({ accepted: "poll" });
    expect(await response.json()).toEqual({ state: "done" });
    expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /charges",
      ...Array.from({ length: 5 }, () => "GET /status/1"),
    ]);
    const [, look] = server.received;
    expect([look?.headers.authorization, look?.headers["content-type"], look?.headers["idempotency-key"]]).toEqual([
      "Bearer alice",
      undefined,
      undefined,
    ]);
    expect(clock.pauses[0]).toBeGreaterThanOrEqual(3_000);
    expect(clock.pauses.at(-1)).toBeGreaterThanOrEqual(2_000);
    expect(await keys.get("order-4711")).toBeNull();
  });

  test("whose status resource is gone leaves the key: nobody has said how it ended", async () => {
    const { charge, keys } = await stage([answers(202, location), answers(404)]);
    expect((await charge({ accepted: "poll" })).status).toBe(404);
    expect(await keys.get("order-4711")).not.toBeNull();
  });

  test("that was given up is asked for again under its key, and followed from there", async () => {
    let over = false;
    const { charge, server, keysSent } = await stage(
      [(response, request) => answers(over && request.method === "GET" ? 200 : 202, location)(response, request)],
      { deadline: "70s" },
    );
    expect(await codeOf(charge({ accepted: "poll" }))).toBe("REPRISE_MAY_HAVE_HAPPENED");
    over = true;
    expect((await charge({ accepted: "poll" })).status).toBe(200);
    const posted = keysSent().filter((key) => key !== undefined);
    expect(posted).toHaveLength(2);
    expect(posted[1]).toBe(posted[0]);
    expect(server.received.at(-1)?.path).toBe("/status/1");
  });

  test("on another server is asked without what the caller's headers tell of him", async () => {
    const other = await stage([answers(200, {}, "ended")]);
    const { charge } = await stage([answers(202, { location: `${other.server.address}/status` })]);
    expect(await (await charge({ accepted: "poll" })).text()).toBe("ended");
    expect(other.server.received[0]?.headers.authorization).toBeUndefined();
  });

  test.each([{}, { location: "data:text/plain,ended" }, { location: "http://[" }])(
    "without a place to ask at is handed over: %j",
    async (headers) => {
      const { charge, server, keys } = await stage([answers(202, headers)]);
      expect((await charge({ accepted: "poll" })).status).toBe(202);
      expect(server.received).toHaveLength(1);
      expect(await keys.get("order-4711")).not.toBeNull();
    },
  );
});
