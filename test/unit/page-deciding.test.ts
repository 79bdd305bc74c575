import { afterEach, expect, test } from "vitest";
import { administer } from "../../src/admin/index.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { type PageContext, type PageOptions, pageHandler } from "../../src/page/index.ts";
import type { RunAnswer } from "../../src/page/wire.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";

/** What a person decides through the page: who may, from where, and what never leaves the process. */

const canary = "canary-4111111111111111";
const token = "0123456789abcdef0123456789abcdef";
const here: PageContext = { remoteAddress: "127.0.0.1" };
const opened: { readonly close: () => Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

/** A refund whose answer was lost, and is parked. */
async function parkedRefund(options: PageOptions = { token }) {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  opened.push(reprise);
  let calls = 0;
  const refund = reprise.operation({
    name: "refund.issue",
    input: unchecked<{ readonly reference: string; readonly account: string }>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "90d",
    costIfTwice: "money",
    effects: "external",
    refusals: { closed: { status: 409, because: "The account is closed." } },
    run: async ({ effect }) => {
      const paid = await effect("refund", {
        ifUnknown: "park",
        run: () => {
          calls += 1;
          return calls === 1 ? Promise.reject(new Error(`secret ${canary}`)) : Promise.resolve({ id: "rf_2" });
        },
      });
      return { paid };
    },
  });
  const input = { reference: "R-1", account: canary };
  const key = `key-${canary}-${"k".repeat(40)}`;
  await refund.execute(input, { key });
  const page = pageHandler(reprise, options);
  const [run] = await administer(reprise).list({ state: "unknown" });
  const id = String(run?.id);
  return { reprise, refund, page, id, calls: () => calls, again: () => refund.execute(input, { key }) };
}

const note = { who: "ann", why: "seen in the gateway's records" };
const neverHappened = { does: "answer", effect: "refund", with: "never-happened", ...note };

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  new Request(`http://localhost:4000/reprise${path}`, {
    method: "POST",
    headers: {
      host: "localhost:4000",
      origin: "http://localhost:4000",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const get = (path: string, headers: Record<string, string> = {}) =>
  new Request(`http://localhost:4000/reprise${path}`, { headers: { host: "localhost:4000", ...headers } });

const stateOf = async (reprise: Parameters<typeof administer>[0], id: string) =>
  (await administer(reprise).show(id)).run.state;

test("a run tells what may be decided: what is safe first, and what it costs to be wrong", async () => {
  const { page, id } = await parkedRefund();
  const answer = (await (await page(get(`/runs/${id}.json`), here)).json()) as RunAnswer;
  expect(answer.choices.map(({ does, with: given }) => (given === undefined ? does : `${does} ${given}`))).toEqual([
    "rerun",
    "answer value",
    "answer never-happened",
    "settle value",
    "settle refusal",
  ]);
  expect(answer.choices[2]?.risks).toBe("it happens a second time, which costs money.");
  expect(answer.choices[3]?.says).toContain("for 90d");
});

test("without a token every write is 403, and the page says how it is enabled", async () => {
  const { reprise, page, id } = await parkedRefund({});
  for (const [path, body] of [
    [`/runs/${id}/decide`, neverHappened],
    [`/runs/${id}/decide`, { does: "rerun", ...note }],
    ["/unlock", {}],
  ] as const) {
    const answer = await page(post(path, body), here);
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { error: { code: "read-only", message: expect.stringContaining("once pageHandler is given a token") } },
    ]);
  }
  expect(await (await page(get("/administration.json"), here)).json()).toMatchObject({ decides: "nowhere" });
  expect(await stateOf(reprise, id)).toBe("unknown");
});

test("a write that carries no token, another one, or comes from elsewhere is 403 and changes nothing", async () => {
  const { reprise, page, id } = await parkedRefund();
  const foreign = "http://evil.test";
  const refused: readonly (readonly [string, Record<string, string>, PageContext?])[] = [
    ["no token", { authorization: "" }, here],
    ["another token", { authorization: `Bearer ${token.replace("0", "1")}` }, here],
    ["a part of the token", { authorization: `Bearer ${token.slice(0, -1)}` }, here],
    ["more than the token", { authorization: `Bearer ${token}0` }, here],
    ["the token by another scheme", { authorization: `Basic ${token}` }, here],
    ["the token alone", { authorization: token }, here],
    ["another origin", { origin: foreign }, here],
    ["another port", { origin: "http://localhost:5000" }, here],
    ["an opaque origin", { origin: "null" }, here],
    ["another site", { "sec-fetch-site": "cross-site" }, here],
    ["another machine", {}, { remoteAddress: "192.168.1.20" }],
    ["nobody knows where", {}, {}],
    ["without a context", {}],
    ["a proxy", { "x-forwarded-for": "127.0.0.1" }, here],
    ["another proxy", { via: "1.1 proxy" }, here],
    ["a name that resolves here", { host: "evil.test", origin: foreign }, here],
    ["a name like it", { host: "localhost.evil.test", origin: "http://localhost.evil.test" }, here],
  ];
  for (const [what, headers, context] of refused) {
    for (const path of [`/runs/${id}/decide`, "/unlock"]) {
      const answer = await page(post(path, neverHappened, headers), context);
      expect(answer.status, `${what}, ${path}`).toBe(403);
    }
  }
  expect(await stateOf(reprise, id)).toBe("unknown");
  expect(await (await page(get("/administration.json"), { remoteAddress: "10.0.0.1" })).json()).toMatchObject({
    decides: "elsewhere",
    why: expect.stringContaining("It did not come from this machine."),
  });
  expect(await (await page(get("/administration.json"), here)).json()).toMatchObject({ decides: "here", why: null });
  expect((await page(post("/unlock", {}), here)).status).toBe(200);
});

test("a token that could be guessed, or that no header carries, is refused at construction", () => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  opened.push(reprise);
  for (const bad of ["", "short", "x".repeat(31), `${"x".repeat(40)} y`, "ü".repeat(40)]) {
    expect(() => pageHandler(reprise, { token: bad }), bad).toThrow(
      expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }),
    );
  }
  expect(() => pageHandler(reprise, { token: undefined })).not.toThrow();
});

test("settled work is shown as it stands, with who and why, and its caller's retry is told the outcome", async () => {
  const { page, id, again, calls } = await parkedRefund();
  const settled = { does: "settle", with: "value", value: { paid: { id: "rf_9" } }, ...note };
  const response = await page(post(`/runs/${id}/decide`, settled), here);
  expect(response.status).toBe(200);
  const answer = (await response.json()) as RunAnswer;
  expect(answer).toMatchObject({ run: { state: "done" }, choices: [] });
  expect(answer.timeline.rows.map(({ what }) => what)).toContain("**Settled** by ann: seen in the gateway's records");
  expect(await again()).toMatchObject({ status: "done", replayed: true, value: { paid: { id: "rf_9" } } });
  expect(calls()).toBe(1);
});

test("each decision is carried out: answer, never happened, refusal, rerun", async () => {
  for (const [decision, state, outcome] of [
    [
      { does: "answer", effect: "refund", with: "value", value: { id: "rf_8" } },
      "open",
      { status: "done", value: { paid: { id: "rf_8" } } },
    ],
    [neverHappened, "open", { status: "done", value: { paid: { id: "rf_2" } } }],
    [{ does: "settle", with: "refusal", refusal: "closed" }, "done", { status: "refused", code: "closed" }],
    [{ does: "rerun" }, "open", { status: "unknown", effect: "refund" }],
  ] as const) {
    const { page, id, again } = await parkedRefund();
    const response = await page(post(`/runs/${id}/decide`, { ...decision, ...note }), here);
    expect([response.status, await response.json()]).toMatchObject([200, { run: { state } }]);
    expect(await again()).toMatchObject(outcome);
  }
});

test("what is no decision, has no name or reason, or comes too late changes nothing and says why", async () => {
  const { reprise, page, id } = await parkedRefund();
  const refused: readonly (readonly [unknown, number, string])[] = [
    [{ does: "nonsense", ...note }, 400, "decision"],
    [{ does: "answer", with: "value", value: 1, ...note }, 400, "decision"],
    [{ does: "settle", with: "value", ...note }, 400, "decision"],
    [{ ...neverHappened, who: "" }, 400, "REPRISE_NOTE_MISSING"],
    [{ ...neverHappened, why: " " }, 400, "REPRISE_NOTE_MISSING"],
    [{ does: "release", ...note }, 409, "REPRISE_ILLEGAL_TRANSITION"],
    [{ does: "settle", with: "refusal", refusal: "no-such", ...note }, 500, "REPRISE_BAD_DECLARATION"],
    [`{"value": "${canary}`, 400, "body"],
    ["7", 400, "body"],
    [{ ...neverHappened, value: "x".repeat(1_100_000) }, 413, "body"],
  ];
  for (const [body, status, code] of refused) {
    const answer = await page(post(`/runs/${id}/decide`, body), here);
    const text = await answer.text();
    expect([answer.status, JSON.parse(text)], code).toMatchObject([status, { error: { code } }]);
    expect(text).not.toContain(canary);
  }
  const form = post(`/runs/${id}/decide`, neverHappened, { "content-type": "text/plain" });
  expect((await page(form, here)).status).toBe(415);
  expect((await page(post(`/runs/${"0f".repeat(16)}/decide`, neverHappened), here)).status).toBe(404);
  expect((await page(get(`/runs/${id}/decide`), here)).status).toBe(405);
  expect(await stateOf(reprise, id)).toBe("unknown");
});

test("background work that waits may be cancelled, and is told so from then on", async () => {
  // no worker here: it waits
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger(), workers: 0 });
  opened.push(reprise);
  const exported = reprise.operation({
    name: "bookings.export",
    input: unchecked<{ readonly month: string }>(),
    principal: "everyone",
    identity: (input) => [input.month],
    retention: "7d",
    effects: "external",
    dispatch: "background",
    run: async () => "never",
  });
  const accepted = await exported.execute({ month: "2026-01" });
  expect(accepted.status).toBe("accepted");
  const page = pageHandler(reprise, { token });
  const [run] = await administer(reprise).list();
  const before = (await (await page(get(`/runs/${run?.id}.json`), here)).json()) as RunAnswer;
  expect(before.choices.map(({ does }) => does)).toEqual(["cancel"]);
  const response = await page(post(`/runs/${run?.id}/decide`, { does: "cancel", ...note }), here);
  expect(await response.json()).toMatchObject({ run: { state: "open", cancelled: true }, choices: [] });
});

test("no value, answer or whole key is in any response, before and after a decision", async () => {
  const { page, id } = await parkedRefund();
  const bodies = [
    await page(
      post(`/runs/${id}/decide`, { does: "answer", effect: "refund", with: "value", value: canary, ...note }),
      here,
    ),
    await page(post(`/runs/${id}/decide`, { does: "settle", with: "value", value: canary, ...note }), here),
    await page(get(`/runs/${id}.json`), here),
    await page(get("/runs.json"), here),
    await page(get("/administration.json"), here),
    await page(post("/unlock", {}), here),
  ];
  for (const response of bodies) {
    const text = await response.text();
    expect(text).not.toContain(canary);
    expect(text).not.toContain(token);
  }
});
