import { afterEach, describe, expect, test } from "vitest";
import { createIdempotentFetch } from "../../src/client/index.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import type { Carried } from "../../src/operation/carry.ts";
import type { AnyRefused } from "../../src/operation/outcome.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { gate } from "../support/bookings.ts";
import { type BackgroundServer, backgroundServers } from "./background-servers.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server whose exports wait until the test lets them go on. */
async function serve({ serve }: BackgroundServer) {
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger() });
  const started = gate();
  const opened = gate();
  const operation = reprise.operation({
    name: "bookings.export",
    input: unchecked<{ readonly month: string; readonly user: string }>(),
    principal: (input) => input.user,
    identity: (input) => [input.month],
    retention: "1d",
    effects: "external",
    dispatch: "background",
    refusals: { empty: { status: 404, because: "Nothing was booked." } },
    run: async ({ input, progress, refuse, signal }) => {
      started.open();
      if (input.month === "empty") throw refuse("empty");
      progress(1, 2);
      await Promise.race([
        opened.passed,
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      ]);
      return `/files/${input.month}`;
    },
  });
  const { url, close } = await serve(operation as unknown as Carried<unknown, unknown, AnyRefused>);
  closing.push(
    () => reprise.close(),
    close,
    async () => opened.open(),
  );
  const ask = (method: string, path: string, session = "ann") =>
    fetch(`${url}${path}`, { method, headers: { "x-session": session } });
  const post = (month: string, key = `"${month}"`) =>
    fetch(`${url}/exports`, {
      method: "POST",
      headers: { "x-session": "ann", "idempotency-key": key, "content-type": "application/json" },
      body: JSON.stringify({ month, user: "ann" }),
    });
  /** Asks until the work has ended. */
  const settled = async (path: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const response = await ask("GET", path);
      const body = (await response.json()) as Record<string, unknown>;
      if (response.headers.get("retry-after") === null) return body;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { url, ask, post, settled, started: started.passed, letGo: opened.open };
}

describe.each(backgroundServers)("$name", (server) => {
  test("71 background work is 202 with the address of its status, also for a repetition, until it is done", async () => {
    const { post, settled, letGo, ask, started } = await serve(server);
    const first = await post("1");
    expect(first.status).toBe(202);
    const location = first.headers.get("location") ?? "";
    expect(location).toMatch(/^\/exports\/[0-9a-f]{32}$/);
    expect(first.headers.get("retry-after")).toBe("1");
    expect(first.headers.get("link")).toContain('rel="describedby"');
    expect(await first.json()).toMatchObject({ state: "accepted" });
    const again = await post("1");
    expect([again.status, again.headers.get("location")]).toEqual([202, location]);
    await started;
    const going = await ask("GET", location);
    expect([going.status, going.headers.get("retry-after"), going.headers.get("cache-control")]).toEqual([
      200,
      "1",
      "no-store",
    ]);
    expect(await going.json()).toMatchObject({ state: "running" });
    letGo();
    expect(await settled(location)).toMatchObject({ state: "done", result: { file: "/files/1" } });
    const replay = await post("1");
    expect([replay.status, replay.headers.get("idempotency-replayed"), await replay.text()]).toEqual([
      200,
      "true",
      "/files/1",
    ]);
  });

  test("72 other input under the key of accepted work is 422", async () => {
    const { post } = await serve(server);
    await post("1", '"k"');
    expect((await post("2", '"k"')).status).toBe(422);
  });

  test("73 the status of work is there for its principal alone", async () => {
    const { post, ask } = await serve(server);
    const location = (await post("1")).headers.get("location") ?? "";
    for (const [method, session] of [
      ["GET", "bob"],
      ["DELETE", "bob"],
    ] as const) {
      const response = await ask(method, location, session);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ title: "Not Found", code: "REPRISE_NO_SUCH_WORK" });
    }
    expect((await ask("GET", location, "")).status).toBe(403);
    expect((await ask("GET", "/exports/none")).status).toBe(404);
    expect((await ask("GET", location)).status).toBe(200);
  });

  test("74 DELETE takes back what is no longer wanted, and says so again; what is over is 409", async () => {
    const { post, ask, settled, started } = await serve(server);
    const location = (await post("1")).headers.get("location") ?? "";
    await started;
    const response = await ask("DELETE", location);
    expect(response.status).toBe(202);
    expect(await settled(location)).toMatchObject({ state: "cancelled", because: "It was cancelled." });
    expect((await ask("DELETE", location)).status).toBe(409);
    const replay = await post("1");
    expect([replay.status, (await replay.json()).refusal]).toEqual([409, "cancelled"]);
  });

  test("75 a refusal is told by the status, and 409 and the like only to whoever asks for the work again", async () => {
    const { post, settled } = await serve(server);
    const location = (await post("empty")).headers.get("location") ?? "";
    expect(await settled(location)).toMatchObject({
      state: "refused",
      refusal: "empty",
      because: "Nothing was booked.",
    });
    expect((await post("empty")).status).toBe(404);
  });

  test("76 the status knows GET, HEAD and DELETE", async () => {
    const { post, ask, letGo, settled } = await serve(server);
    const location = (await post("1")).headers.get("location") ?? "";
    const head = await ask("HEAD", location);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const put = await ask("PUT", location);
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD, DELETE"]);
    letGo();
    await settled(location);
  });

  test("77 the idempotent fetch that polls brings the status of the ended work", async () => {
    const { url, started, letGo } = await serve(server);
    const send = createIdempotentFetch();
    const answer = send(`${url}/exports`, {
      method: "POST",
      key: "export-1",
      accepted: "poll",
      headers: { "x-session": "ann", "content-type": "application/json" },
      body: JSON.stringify({ month: "1", user: "ann" }),
    });
    await started;
    letGo();
    expect(await (await answer).json()).toMatchObject({ state: "done", result: { file: "/files/1" } });
  });
});
