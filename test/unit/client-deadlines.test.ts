import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { isRepriseError } from "../../src/base/errors.ts";
import { memoryKeys } from "../../src/client/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { type Answering, answers, neverAnswers } from "../support/scripted-server.ts";
import { codeOf, longMs, stage } from "./client-stand.ts";

describe("a deadline", () => {
  test("of an attempt cuts off a slow server, and the next attempt has the same key", async () => {
    const clock = manualClock();
    const { charge, server, keysSent } = await stage([neverAnswers, answers(200)], { clock, attempt: "5s" });
    const call = charge();
    await server.hasReceived(1);
    await clock.advance(5_200);
    expect((await call).status).toBe(200);
    expect(keysSent()[1]).toBe(keysSent()[0]);
  });

  test("of an attempt counts until the last byte of the answer", async () => {
    const clock = manualClock();
    const hangs: Answering = (response) => void response.writeHead(200).write("half");
    let headArrived = () => {};
    const head = new Promise<void>((resolve) => {
      headArrived = resolve;
    });
    const watched = async (url: string, init: RequestInit) => {
      const response = await fetch(url, init);
      headArrived();
      return response;
    };
    const script = [hangs, answers(200, {}, "whole")];
    const { charge } = await stage(script, { clock, attempt: "5s", fetch: watched });
    const call = charge();
    await head;
    await clock.advance(5_200);
    expect(await (await call).text()).toBe("whole");
  });

  test("of all says that it may have happened, under which key, and keeps the key for the next call", async () => {
    const { charge, server, clock, keys, keysSent } = await stage([answers(503)], { deadline: "100s" });
    const error = await charge().catch((thrown: unknown) => thrown);
    if (!isRepriseError(error, "REPRISE_MAY_HAVE_HAPPENED")) throw error;
    const key = keysSent()[0]?.slice(1, -1);
    expect(error.details).toEqual({
      key,
      attempts: server.received.length,
      afterMs: expect.any(Number),
      last: "status 503",
    });
    expect(error.details.attempts).toBeGreaterThan(5);
    expect(clock.pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(100_000);
    expect(await keys.get("order-4711")).toMatchObject({ key });
    expect(error.message).not.toContain("4711");
  });

  test("of all tells of the network's fault as its cause, and bounds the last attempt", async () => {
    const unused = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => unused.once("listening", resolve));
    const { port } = unused.address() as { readonly port: number };
    await new Promise((resolve) => unused.close(resolve));
    const { request } = await stage([], { deadline: "100s" });
    const error = await request(`http://127.0.0.1:${port}`, { method: "POST", intent: "a" }).catch((e: unknown) => e);
    if (!isRepriseError(error, "REPRISE_MAY_HAVE_HAPPENED")) throw error;
    expect(error.details.last).toBe("no whole answer");
    expect(error.cause).toBeInstanceOf(TypeError);

    const clock = manualClock();
    const slow = await stage([neverAnswers], { clock, attempt: "60s", deadline: "10s" });
    const call = slow.charge();
    const told = codeOf(call);
    await slow.server.hasReceived(1);
    await clock.advance(10_000);
    expect(await told).toBe("REPRISE_MAY_HAVE_HAPPENED");
    expect(clock.pending()).toBe(0);
  });

  test("bounds a fetch that does not heed its signal", async () => {
    const clock = manualClock();
    let called = () => {};
    const sending = new Promise<void>((resolve) => {
      called = resolve;
    });
    const deaf = () => {
      called();
      return new Promise<never>(() => undefined);
    };
    const { charge } = await stage([], { clock, fetch: deaf, attempt: "5s", deadline: "20s" });
    const told = codeOf(charge());
    await sending;
    while (clock.monotonic() < 20_000) await clock.advance(1_000);
    expect(await told).toBe("REPRISE_MAY_HAVE_HAPPENED");
    expect(clock.pending()).toBe(0);
  });

  test("bounds keys that never answer: nothing is sent", async () => {
    const clock = manualClock();
    const keys = { ...memoryKeys(), put: () => new Promise<never>(() => undefined) };
    const { charge, server } = await stage([answers(200)], { clock, keys });
    const told = codeOf(charge());
    while (clock.pending() === 0) await clock.advance(0);
    await clock.advance(longMs);
    expect(await told).toBe("REPRISE_KEYS_UNUSABLE");
    expect(server.received).toEqual([]);
  });
});

describe("a signal", () => {
  const reason = new Error("no longer wanted");

  test("that is aborted already sends and keeps nothing", async () => {
    const { request, server, keys } = await stage([answers(200)]);
    const call = request(server.address, { method: "POST", intent: "a", signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect([server.received.length, await keys.get("a")]).toEqual([0, null]);
  });

  test("ends an attempt under way with its reason, and the key stays", async () => {
    const { request, server, keys } = await stage([neverAnswers]);
    const leaving = new AbortController();
    const call = request(server.address, { method: "POST", intent: "a", signal: leaving.signal });
    await server.hasReceived(1);
    leaving.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(await keys.get("a")).not.toBeNull();
  });

  test("ends a pause", async () => {
    const manual = manualClock();
    let begun = () => {};
    const pausing = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const clock = {
      ...manual,
      timer: (ms: number, work: () => void) => {
        if (ms >= 77_000 && ms < 78_000) begun();
        return manual.timer(ms, work);
      },
    };
    const { request, server } = await stage([answers(503, { "retry-after": "77" })], { clock });
    const leaving = new AbortController();
    const call = request(server.address, { method: "POST", intent: "a", signal: leaving.signal });
    await pausing;
    leaving.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect([manual.pending(), server.received.length]).toEqual([0, 1]);
  });

  test("that aborts later leaves the answer whole", async () => {
    const { request, server } = await stage([answers(200, {}, "whole")]);
    const leaving = new AbortController();
    const response = await request(server.address, { method: "POST", intent: "a", signal: leaving.signal });
    leaving.abort(reason);
    expect(await response.text()).toBe("whole");
  });
});
