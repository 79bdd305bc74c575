import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../examples/booking/src/database/driver.ts";

const example = new URL("../../examples/booking/", import.meta.url);
const run = promisify(execFile);

const book = (address: string, key: string, session: string, body: object) =>
  fetch(`${address}/bookings`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${session}-token`,
      "idempotency-key": key,
    },
    body: JSON.stringify(body),
  });

const cancel = (address: string, key: string, session: string, reference: string) =>
  fetch(`${address}/bookings/${reference}/cancellation`, {
    method: "POST",
    headers: { authorization: `Bearer ${session}-token`, "idempotency-key": key },
  });

const token = "a-token-that-nobody-else-would-guess";

describe("the booking platform", () => {
  let platform: ChildProcess;
  let address: string;
  let functions: string;
  let mails: string;
  let data: string;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "booking-test-"));
    // the library was built before the tests; the example is built from it
    await run("npm", ["run", "-s", "build"], { cwd: fileURLToPath(example) });
    platform = spawn(process.execPath, [fileURLToPath(new URL("dist/main.mjs", example))], {
      env: { ...process.env, PORT: "0", BOOKING_LOAD: "off", BOOKING_DATA: data, BOOKING_TOKEN: token },
      stdio: ["ignore", "pipe", "inherit"],
    });
    address = await new Promise<string>((resolve, reject) => {
      let said = "";
      platform.stdout?.on("data", (text: Buffer) => {
        said += text.toString("utf8");
        const page = /(http:\/\/localhost:\d+)\/reprise/.exec(said);
        functions = /by function:.*?(http:\/\/127.0.0.1:\d+)\/bookings/.exec(said)?.[1] ?? "";
        mails = /(http:\/\/127.0.0.1:\d+)\/mails/.exec(said)?.[1] ?? "";
        if (page?.[1] !== undefined && said.includes("idempotency-replayed")) resolve(page[1]);
      });
      platform.once("exit", () => reject(new Error(`the platform ended: ${said}`)));
    });
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => platform.once("exit", resolve));
    platform.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  });

  it("answers that it is healthy, and shows workshops with their seats", async () => {
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    const workshops = (await (await fetch(`${address}/workshops`)).json()) as {
      readonly id: string;
      readonly left: number;
    }[];
    expect(workshops).toHaveLength(50);
    expect(workshops.filter(({ left }) => left > 0).length).toBeGreaterThan(40);
    const seats = await (await fetch(`${address}/workshops/${workshops[0]?.id}/availability`)).json();
    expect(seats).toMatchObject({ workshop: workshops[0]?.id, seats: expect.any(Number), left: expect.any(Number) });
  });

  it("writes a statement in the background, and tells how it stands to whom it belongs alone", async () => {
    const ask = (path: string, method: string, session: string) =>
      fetch(`${address}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${session}-token`,
          "content-type": "application/json",
          ...(method === "POST" ? { "idempotency-key": "statement-1" } : {}),
        },
        ...(method === "POST" ? { body: JSON.stringify({ reference: "statement-1" }) } : {}),
      });
    const accepted = await ask("/statements", "POST", "alice");
    expect(accepted.status).toBe(202);
    const location = accepted.headers.get("location") ?? "";
    expect((await ask(location, "GET", "bob")).status).toBe(404);
    await expect
      .poll(async () => (await ask(location, "GET", "alice")).json(), { timeout: 10_000 })
      .toMatchObject({ state: "done", result: { reference: "statement-1", booked: expect.any(Number) } });
    const again = await ask("/statements", "POST", "alice");
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
  });

  it("reads the seats of a whole list, and tells that a workshop does not exist", async () => {
    await (await fetch(`${address}/workshops?page=3`)).arrayBuffer();
    const metrics = (await (await fetch(`${address}/reprise/metrics.json`)).json()) as {
      readonly caches: readonly { readonly name: string; readonly total: Readonly<Record<string, number>> }[];
    };
    const told = metrics.caches.find(({ name }) => name === "workshop.availability");
    expect(told?.total["source"]).toBeGreaterThanOrEqual(50);
    const unknown = await fetch(`${address}/workshops/w-900/availability`);
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { detail: "There is no such workshop." }]);
  });

  it("counts every look at a workshop's page once, however many come together", async () => {
    const looks = await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(`${address}/workshops/w-160`)).json()),
    );
    const views = looks.map((look) => (look as { readonly views: number }).views);
    expect(views.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("tells what its jobs did, and what the price API billed for it", async () => {
    const jobs = await (await fetch(`${address}/jobs`)).json();
    expect(jobs).toMatchObject({
      facts: { staged: expect.any(Number), rows: expect.any(Number) },
      customers: { known: expect.any(Number), pending: expect.any(Number) },
      bill: { calls: expect.any(Number), billedTwice: 0 },
    });
  });

  it("tells what a read of availability would do", async () => {
    const query = new URLSearchParams({ cache: "workshop.availability", scope: '{"workshop":"w-161"}' });
    const explain = async () => (await fetch(`${address}/reprise/explain.json?${query}`)).json();
    expect(await explain()).toMatchObject({ explanation: { would: "load" } });
    await (await fetch(`${address}/workshops/w-161/availability`)).arrayBuffer();
    expect(await explain()).toMatchObject({ explanation: { would: "answer-fresh", entry: { state: "fresh" } } });
  });

  it("books a seat once for two requests with one key, and says that the second answer is a replay", async () => {
    const key = "test";
    const order = { reference: key, workshop: "w-150" };
    const first = await book(address, key, "alice", order);
    const second = await book(address, key, "alice", order);
    expect([first.status, first.headers.get("idempotency-replayed")]).toEqual([201, null]);
    expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
    expect(await second.text()).toBe(await first.text());
  });

  it("books for two users who give their bookings the same reference, and charges each once", async () => {
    const order = { reference: "same", workshop: "w-151" };
    const answers = await Promise.all([
      book(address, "key-of-alice", "alice", order),
      book(address, "key-of-bob", "bob", order),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    const booked = await Promise.all(answers.map(async (answer) => (await answer.json()) as { chargeId: string }));
    const gateway = openDatabase(join(data, "gateway.db"));
    const charges = gateway.prepare("select id from charges where reference = 'same'").all();
    gateway.close();
    expect(charges.map(({ id }) => id).sort()).toEqual(booked.map(({ chargeId }) => chargeId).sort());
    expect(charges).toHaveLength(2);
  });

  it("cancels a booking of which a cancellation was asked for too early, and only for its own user", async () => {
    expect((await cancel(address, "cancel-1", "alice", "later")).status).toBe(404);
    expect((await book(address, "later", "alice", { reference: "later", workshop: "w-152" })).status).toBe(201);
    expect((await cancel(address, "cancel-1", "bob", "later")).status).toBe(404);
    expect((await cancel(address, "cancel-1", "alice", "later")).status).toBe(200);
    const again = await cancel(address, "cancel-1", "alice", "later");
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    const headers = { authorization: "Bearer alice-token" };
    const kept = await fetch(`${address}/bookings/later`, { headers });
    expect(await kept.json()).toMatchObject({ workshop: "w-152", cancelled: true });
  });

  it("asks a person about a refund whose answer was lost, and tells its caller what the person found", async () => {
    expect((await book(address, "refunded", "alice", { reference: "refunded", workshop: "w-153" })).status).toBe(201);
    const refund = () =>
      fetch(`${address}/bookings/refunded/refund`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: "Bearer alice-token",
          "idempotency-key": "refund-1",
        },
        body: JSON.stringify({ reason: "answer-lost" }),
      });
    const lost = await refund();
    expect([lost.status, await lost.json()]).toMatchObject([503, { code: "REPRISE_UNKNOWN" }]);
    expect((await refund()).status).toBe(503);
    const listed = await fetch(`${address}/reprise/runs.json?state=unknown&operation=refund.issue`);
    const { runs } = (await listed.json()) as { runs: { id: string }[] };
    const decide = (authorization: string) =>
      fetch(`${address}/reprise/runs/${runs[0]?.id}/decide`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: address, authorization },
        body: JSON.stringify({
          ...{ does: "answer", effect: "refund", with: "value", value: { id: "rf_1" } },
          ...{ who: "ann", why: "the gateway lists it" },
        }),
      });
    expect((await decide("Bearer alice-token")).status).toBe(403);
    expect((await decide(`Bearer ${token}`)).status).toBe(200);
    const told = await refund();
    expect([told.status, await told.json()]).toEqual([201, { reference: "refunded", refund: "rf_1" }]);
    const gateway = openDatabase(join(data, "gateway.db"));
    const refunds = gateway.prepare("select id from refunds where reference = 'refunded'").all();
    gateway.close();
    expect(refunds).toHaveLength(1);
  });

  it("books a seat once and charges once for a request, a message and a function that ask for it at once, a hundred times", async () => {
    const references = Array.from({ length: 100 }, (_, at) => `thrice-${at}`);
    const ask = async (url: string, key: string, body: object) => {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer alice-token", "idempotency-key": key },
        body: JSON.stringify(body),
      });
      return { status: answer.status, text: await answer.text() };
    };
    const outcomes: { readonly status: number; readonly text: string }[][] = [];
    for (let first = 0; first < references.length; first += 10) {
      const some = references.slice(first, first + 10).map(async (reference, at) => {
        const order = { reference, workshop: `w-${161 + ((first + at) % 40)}` };
        const message = ask(`${address}/booking-requests`, `${reference}-message`, order);
        const answers = [
          ask(`${address}/bookings`, `${reference}-request`, order),
          ask(`${functions}/bookings`, `${reference}-function`, order),
        ];
        expect((await message).status).toBe(202);
        // whoever is told that somebody is at it asks again, as callers do
        const told = answers.map(async (answer, way) => {
          for (let one = await answer; ; ) {
            if (!one.text.includes("REPRISE_RUNNING")) return one;
            await new Promise((resolve) => setTimeout(resolve, 200));
            const again = way === 0 ? `${address}/bookings` : `${functions}/bookings`;
            one = await ask(again, `${reference}-${way === 0 ? "request" : "function"}`, order);
          }
        });
        return Promise.all(told);
      });
      outcomes.push(...(await Promise.all(some)));
    }
    expect(new Set(outcomes.flat().map(({ status }) => status))).toEqual(new Set([201]));
    for (const [request, byFunction] of outcomes) expect(byFunction?.text).toBe(request?.text);
    const counts = async () => {
      const jobs = (await (await fetch(`${address}/jobs`)).json()) as {
        readonly messages: { readonly bookings: Readonly<Record<string, number>> };
      };
      return jobs.messages.bookings;
    };
    await expect.poll(async () => (await counts())["replayed"], { timeout: 20_000 }).toBeGreaterThan(0);
    await expect
      .poll(
        async () => {
          const { ran = 0, replayed = 0 } = await counts();
          return ran + replayed;
        },
        { timeout: 20_000 },
      )
      .toBe(references.length);
    const gateway = openDatabase(join(data, "gateway.db"));
    const charges = gateway.prepare("select reference from charges where reference like 'thrice-%'").all();
    gateway.close();
    expect(charges.map(({ reference }) => reference).sort()).toEqual([...references].sort());
    const booking = openDatabase(join(data, "booking.db"));
    const [booked] = booking.prepare("select count(*) as n from bookings where reference like 'thrice-%'").all();
    booking.close();
    expect(booked).toEqual({ n: references.length });
  }, 60_000);

  it("tells a user once by mail of a seat that was given back", async () => {
    expect((await book(address, "given-back", "bob", { reference: "given-back", workshop: "w-154" })).status).toBe(201);
    expect((await cancel(address, "give-back-1", "bob", "given-back")).status).toBe(200);
    const sent = async () => (await (await fetch(`${mails}/mails/given-back`)).json()) as readonly object[];
    await expect.poll(sent, { timeout: 10_000 }).toMatchObject([{ recipient: "bob", about: "seat-released" }]);
    expect((await cancel(address, "give-back-2", "bob", "given-back")).status).toBe(200);
    expect(await sent()).toHaveLength(1);
  });

  it("renders a badge for whoever booked, the same each time, and for nobody else", async () => {
    expect((await book(address, "badge", "alice", { reference: "badge", workshop: "w-155" })).status).toBe(201);
    const badge = async (key: string, session: string) => {
      const answer = await fetch(`${functions}/badges`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${session}-token`,
          "idempotency-key": key,
        },
        body: JSON.stringify({ reference: "badge" }),
      });
      return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
    };
    const first = await badge("badge-1", "alice");
    expect(first).toMatchObject({ status: 200, type: "image/svg+xml" });
    expect(first.text).toContain("alice");
    expect(await badge("badge-2", "alice")).toEqual(first);
    expect((await badge("badge-3", "bob")).status).toBe(404);
    expect((await badge("badge-4", "nobody")).status).toBeGreaterThanOrEqual(400);
  });

  it("refuses a body that names another user than the session, and a request without a session", async () => {
    const key = "test-bob";
    const order = { reference: key, workshop: "w-150", user: "alice" };
    expect((await book(address, key, "bob", order)).status).toBe(403);
    expect((await book(address, key, "nobody", order)).status).toBe(401);
  });

  it("tells that a card was declined, the same each time", async () => {
    const key = "test-declined";
    const order = { reference: key, workshop: "w-150", card: "card-declined" };
    const first = await book(address, key, "alice", order);
    const second = await book(address, key, "alice", order);
    expect([first.status, second.status]).toEqual([402, 402]);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
  });
});

describe("an incident that the page started", () => {
  it.each([
    ["its terminal hangs up", (child: ChildProcess) => void child.kill("SIGHUP")],
    ["the platform that started it is gone", (child: ChildProcess) => child.disconnect()],
  ])("ends and leaves nothing behind when %s", async (_, leave) => {
    const directory = await mkdtemp(join(tmpdir(), "booking-test-"));
    try {
      const child = fork(new URL("dist/incident.mjs", example), ["double-charge", "--quick"], {
        env: { ...process.env, TMPDIR: directory },
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      await new Promise((resolve) => child.once("message", resolve));
      expect(await readdir(directory)).toHaveLength(1);
      leave(child);
      await ended;
      expect(await readdir(directory)).toEqual([]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("the incident of the double charge", () => {
  it("charges twice with a key table and exactly once with Reprise, whatever the process is killed at", async () => {
    const told = await replayed("double-charge");
    expect(told.without).toMatchObject({ charges: 2 });
    expect(told.with).toMatchObject({ charges: 1, doubleCharged: 0, lost: 0, bookings: 9, told: 9 });
  }, 120_000);
});

/** The last line that a quick incident says. */
async function replayed(incident: string): Promise<Record<"without" | "with", Readonly<Record<string, number>>>> {
  const program = fileURLToPath(new URL("dist/incident.mjs", example));
  const { stdout } = await run(process.execPath, [program, incident, "--quick", "--json"], { timeout: 120_000 });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

describe("the incident of the rerun", () => {
  it("leaves rows twice and wrong with check-then-insert, and none with Reprise", async () => {
    const told = await replayed("rerun");
    expect(told.without["duplicateRows"]).toBeGreaterThan(0);
    expect(told.without["wrongRows"]).toBeGreaterThan(0);
    expect(told).toMatchObject({ with: { duplicateRows: 0, wrongRows: 0 }, kills: 4 });
  }, 120_000);
});

describe("the incident of the redelivery", () => {
  it("sends mails twice or loses them with the usual checks, and neither with Reprise", async () => {
    const told = await replayed("redelivery");
    expect(told.without["effectsTwice"]).toBeGreaterThan(0);
    expect(told.without["lost"]).toBeGreaterThan(0);
    expect(told).toMatchObject({ with: { effectsTwice: 0, lost: 0 }, kills: 5 });
  }, 120_000);
});

describe("the incident of the overlap", () => {
  it("bills twice and writes other bytes with a loop, and neither with Reprise", async () => {
    const told = await replayed("overlap");
    expect(told.without["billedTwice"]).toBeGreaterThan(0);
    expect(told.without["differentBlobs"]).toBeGreaterThan(0);
    expect(told).toMatchObject({ with: { billedTwice: 0, differentBlobs: 0 }, kills: 3 });
  }, 120_000);
});
