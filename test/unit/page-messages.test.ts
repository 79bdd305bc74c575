import { expect, test } from "vitest";
import type { ConsumerRow } from "../../src/admin/consumer-rows.ts";
import type { Metrics } from "../../src/observe/metrics.ts";
import { readMetrics } from "../../src/observe/read.ts";
import { consumerQuestions } from "../../src/page/consumer-questions.ts";
import { pageHandler } from "../../src/page/index.ts";
import type { Grounds } from "../../src/page/questions.ts";
import { fakeReprise } from "../page/fake.ts";

const token = "0123456789abcdef0123456789abcdef";
const origin = "http://localhost:3000";
const path = "/consumers/rabbitmq%20seat.released";

function open(quiet = false) {
  const reprise = fakeReprise({ messages: true, quiet });
  const handler = pageHandler(reprise, { token });
  const context = { remoteAddress: "127.0.0.1" };
  const get = async (address: string) => {
    const response = await handler(new Request(`${origin}/reprise${address}`), context);
    return { status: response.status, body: await response.json() };
  };
  const post = async (body: object, headers: Record<string, string> = {}) => {
    const request = new Request(`${origin}/reprise${path}/act`, {
      method: "POST",
      headers: { origin, "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
    const response = await handler(request, context);
    return { status: response.status, body: await response.json() };
  };
  return { get, post, close: reprise.close };
}

test("consumers are told with what waits, and one with its dead letters once somebody looks, never with their content", async () => {
  const { get, close } = open();
  const all = await get("/consumers.json");
  expect(all.body.consumers).toMatchObject([
    { name: "rabbitmq seat.released", waiting: 1_204, setAside: 6, shows: true, parked: { count: 0 } },
    { name: "nats BADGES render-badges-of-every-workshop", waiting: 0, setAside: 0, parked: { count: 1 } },
    { name: "kafka newsletter.subscribed", owner: null, waiting: null, setAside: null, shows: false },
  ]);
  expect((await get(`${path}.json`)).body).toMatchObject({ look: null, asked: null });
  const looked = await get(`${path}.json?look`);
  expect(looked.body.look).toMatchObject({ failed: null, more: false, letters: { length: 6 } });
  expect(looked.body.choices.map(({ does }: { does: string }) => does)).toEqual(["redrive", "discard"]);
  // it is kept for whoever asks next
  expect((await get(`${path}.json`)).body.look).toEqual(looked.body.look);
  expect((await get("/consumers/kafka%20newsletter.subscribed.json?look")).body).toMatchObject({
    look: null,
    choices: [],
  });
  expect(JSON.stringify([all, looked])).not.toContain("canary");
  expect((await get("/consumers/nowhere.json")).status).toBe(404);
  close();
});

test("nothing is sent again or removed without the token, unchosen, or for what is no reason", async () => {
  const { get, post, close } = open();
  expect(await post({ does: "redrive" }, { authorization: "Bearer another" })).toMatchObject({ status: 403 });
  expect(await post({ does: "redrive" }, { origin: "http://evil.example" })).toMatchObject({ status: 403 });
  expect(await post({ does: "run" })).toMatchObject({ status: 400, body: { error: { code: "decision" } } });
  expect((await post({ does: "discard" })).body.asked.ended.end).toMatchObject({
    is: "failed",
    why: expect.stringMatching(/'ids' or by 'reason'/),
  });
  expect((await get("/consumers.json")).body.consumers[0].setAside).toBe(6);
  close();
});

test("what was done is told, and the next look is one after it", async () => {
  const { get, post, close } = open();
  const { letters } = (await get(`${path}.json?look`)).body.look;
  const one = await post({ does: "redrive", id: letters[0].id });
  expect(one.body.asked).toMatchObject({ does: "redrive", ended: { end: { is: "redriven", counts: { done: 1 } } } });
  expect(one.body.look.letters).toHaveLength(5);
  const gone = await post({ does: "discard", id: letters[0].id });
  expect(gone.body.asked.ended.end).toMatchObject({ is: "discarded", counts: { done: 0, gone: 1 } });
  const all = await post({ does: "discard", reason: "failed" });
  expect(all.body.asked.ended.end).toMatchObject({ is: "discarded", counts: { done: 1, gone: 0, more: false } });
  close();
});

test("question D is answered by the redeliveries absorbed, and by what is parked", async () => {
  for (const quiet of [false, true]) {
    const { get, close } = open(quiet);
    const { questions } = (await get("/decisions.json")).body as {
      questions: readonly { number: string; state: string; answer: string; detail: string }[];
    };
    const asked = questions.find(({ number }) => number === "D");
    // of one consumer nobody knows who answers for it
    expect(asked).toMatchObject({ state: "undecided", answer: expect.stringMatching(/\*\*1 of 3\*\* consumers/) });
    expect(asked?.detail).toMatch(
      quiet ? /\. 0 messages received\.$/ : /\. [\d,]+ messages received, \d+ set aside\.$/,
    );
    close();
  }
});

test("redeliveries absorbed are evidence; before there are any, it is declared", async () => {
  const reprise = fakeReprise({ messages: true });
  const decided = reprise.decisions().filter(({ owner }) => owner !== undefined);
  const metrics = await readMetrics(reprise["~inside"], { range: "1h" });
  const ask = (consumers: Metrics["consumers"], parked: number) => {
    const rows = ["rabbitmq seat.released", "rabbitmq seat.released.eu"].map((name) => {
      return { name, operation: "seat.release", parked: { count: parked, more: false } };
    });
    const jobs = { loads: [], schedules: [], consumers: rows as unknown as readonly ConsumerRow[] };
    return consumerQuestions(decided, { metrics: { ...metrics, consumers }, jobs } as unknown as Grounds)[0];
  };
  expect(ask(metrics.consumers, 2)).toMatchObject({
    state: "evidence",
    // two consumers of one operation have the same works parked
    answer: expect.stringMatching(
      /^\*\*\d+ redeliveries\*\* absorbed by business id\. \*\*2\*\* parked for a person\.$/,
    ),
    owners: "booking-team, events-team",
    source: expect.stringMatching(/^counted, last/),
  });
  expect(ask([], 0)).toMatchObject({ state: "declared", answer: expect.stringMatching(/^\*\*2 of 2\*\* are known/) });
  reprise.close();
});
