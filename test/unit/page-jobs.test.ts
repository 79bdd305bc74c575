import { expect, test } from "vitest";
import { pageHandler } from "../../src/page/index.ts";
import { fakeReprise } from "../page/fake.ts";

const token = "0123456789abcdef0123456789abcdef";
const origin = "http://localhost:3000";

function open() {
  const reprise = fakeReprise({ jobs: true });
  const handler = pageHandler(reprise, { token });
  const context = { remoteAddress: "127.0.0.1" };
  const get = async (path: string) => {
    const response = await handler(new Request(`${origin}/reprise${path}`), context);
    return { status: response.status, body: await response.json() };
  };
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const request = new Request(`${origin}/reprise${path}`, {
      method: "POST",
      headers: { origin, "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
    const response = await handler(request, context);
    return { status: response.status, body: await response.json() };
  };
  return { get, post, close: reprise.close };
}

test("loads are told with their newest run, one with its runs and at most some hundred windows", async () => {
  const { get, close } = open();
  const all = await get("/loads.json");
  expect(all.body.loads.map(({ name }: { name: string }) => name)).toEqual([
    ...["sales.fact", "bookings.fact", "events.archive", "invoices.fact"],
  ]);
  expect(all.body.loads[0].newest).toMatchObject({ is: "running", windows: { done: 47, skipped: 20, of: 78 } });
  const one = await get("/loads/events.archive.json");
  expect(one.body.shown.windows.length).toBeLessThanOrEqual(240);
  expect(one.body.shown.run.windows.of).toBe(3_000);
  const older = await get(`/loads/sales.fact.json?run=${encodeURIComponent("sales.fact#7")}`);
  expect(older.body.shown.run.run).toBe("sales.fact#7");
  expect(JSON.stringify(older.body).length).toBeLessThan(64_000);
  expect((await get("/loads/nowhere.json")).status).toBe(404);
  expect((await get("/loads/%E0%A4%A.json")).status).toBe(404);
  close();
});

test("schedules are told with their last ticks, one with all that are kept, the next and its records", async () => {
  const { get, close } = open();
  const all = await get("/schedules.json");
  expect(all.body.schedules.find(({ name }: { name: string }) => name === "bookings.load").ticks).toHaveLength(40);
  const one = await get("/schedules/bookings.load.json");
  expect(one.body).toMatchObject({ records: null, next: { length: 5 }, schedule: { ticks: { length: 200 } } });
  const worked = await get("/schedules/customers.enrich.json");
  expect(worked.body.records.runs[3]).toMatchObject({
    effects: [{ effect: "charge", pinned: true }, { effect: "book" }],
  });
  expect(JSON.stringify(worked.body)).not.toContain("canary");
  close();
});

test("nothing is begun without the token, from elsewhere, or as no JSON", async () => {
  const { post, get, close } = open();
  const pause = { does: "pause", who: "ann", why: "x" };
  const path = "/schedules/customers.enrich/act";
  expect(await post(path, pause, { authorization: "Bearer another" })).toMatchObject({ status: 403 });
  expect(await post(path, pause, { origin: "http://evil.example" })).toMatchObject({ status: 403 });
  expect(await post(path, pause, { "content-type": "text/plain" })).toMatchObject({ status: 415 });
  expect(await post(path, { does: "drop" })).toMatchObject({ status: 400, body: { error: { code: "decision" } } });
  expect(await post(path, { ...pause, why: "" })).toMatchObject({
    status: 400,
    body: { error: { code: "REPRISE_NOTE_MISSING" } },
  });
  expect((await post("/loads/nowhere/act", { does: "run" })).status).toBeGreaterThanOrEqual(400);
  expect((await get("/schedules/customers.enrich.json")).body.schedule.paused).toBeNull();
  close();
});

test("what was done is told with it and after it, and a comparison never with its keys", async () => {
  const { post, get, close } = open();
  const paused = await post("/schedules/customers.enrich/act", { does: "pause", who: "ann", why: "the API is down" });
  expect(paused).toMatchObject({
    status: 200,
    body: {
      schedule: { paused: { who: "ann", why: "the API is down" } },
      asked: { does: "pause", ended: { end: { is: "paused", changed: true } } },
    },
  });
  const compared = await post("/loads/sales.fact/act", { does: "reconcile", from: "2026-01" });
  expect(compared.body.asked.ended.end.reconciliation).toMatchObject({ equal: false, missing: 12, keys: [] });
  expect(JSON.stringify((await get("/loads/sales.fact.json")).body)).not.toContain("canary");
  const held = await post("/schedules/bookings.load/act", { does: "run" });
  expect(held.body.asked.ended.end).toEqual({ is: "tick-held", holder: "worker-1" });
  close();
});

test("the questions about loads and schedules are answered by what is counted", async () => {
  const { get, close } = open();
  const { questions } = (await get("/decisions.json")).body as {
    questions: readonly { number: string; state: string; answer: string; detail: string }[];
  };
  const asked = (number: string) => questions.find((question) => question.number === number);
  expect(asked("B")).toMatchObject({ state: "evidence", answer: expect.stringMatching(/rows met what the table has/) });
  expect(asked("B")?.detail).toContain("Stopped half way, and gone on with by the next call: bookings.fact.");
  expect(asked("C")).toMatchObject({
    state: "evidence",
    answer: expect.stringMatching(/records\*\* were known already/),
  });
  expect(asked("C")?.detail).toContain("Paused: reminders.send.");
  close();
});
