import { afterEach, expect, test } from "vitest";
import { createReprise, outcomeOf, unchecked } from "../../src/index.ts";
import type { Incident, IncidentResult } from "../../src/page/index.ts";
import { type PageContext, pageHandler } from "../../src/page/index.ts";
import type { RunAnswer, RunsAnswer } from "../../src/page/wire.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";

const canary = "canary-4111111111111111";
const here: PageContext = { remoteAddress: "127.0.0.1" };
const opened: { readonly close: () => Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function createShop() {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  opened.push(reprise);
  const order = reprise.operation({
    name: "order",
    input: unchecked<{ readonly reference: string; readonly card: string }>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "external",
    run: async ({ effect, input }) => {
      const charge = await effect("charge", { ifUnknown: "retry", run: async () => `answer ${canary}` });
      return { charge, card: input.card };
    },
  });
  const refused = reprise.operation({
    name: "refused",
    input: unchecked<{ readonly reference: string }>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "external",
    run: async ({ effect }) => {
      await effect("call", {
        ifUnknown: "park",
        run: () => Promise.reject(new Error(`secret ${canary}`)),
      });
      return "never";
    },
  });
  const product = reprise.cache.readThrough({
    name: "product",
    scope: ["id"],
    freshFor: "60s",
    changedBy: () => [outcomeOf(order, (input) => ({ id: input.reference }))],
    load: async ({ id }) => ({ id, secret: canary }),
  });
  return { reprise, order, refused, product };
}

const result: IncidentResult = {
  at: "2026-01-01T00:00:00.000Z",
  headline: "An hour, or none.",
  sides: [side("Without"), side("With")],
  rows: [],
  rowsTitle: "Rows",
  rowsOf: "Row",
  rowHeads: [],
  facts: [],
  again: "npm run incident",
};

function side(title: string): IncidentResult["sides"][0] {
  return { title, note: "", figures: [], panes: [], marks: [] };
}

function createIncident(name: string) {
  let end = (_: IncidentResult) => {};
  let starts = 0;
  let last: IncidentResult | undefined;
  const incident: Incident = {
    name,
    title: name,
    story: "It broke.",
    takesSeconds: 1,
    start: (progress) => {
      starts += 1;
      progress("half", 0.5);
      return new Promise<IncidentResult>((resolve) => {
        end = resolve;
      }).then((done) => {
        last = done;
        return done;
      });
    },
    lastResult: () => Promise.resolve(last),
  };
  return { incident, starts: () => starts, end: () => end(result) };
}

const get = (path: string, headers: Record<string, string> = {}) =>
  new Request(`http://localhost:4000${path}`, { headers: { host: "localhost:4000", ...headers } });
const start = (name: string, headers: Record<string, string> = {}) =>
  new Request(`http://localhost:4000/reprise/incidents/${name}/start`, {
    method: "POST",
    headers: { host: "localhost:4000", origin: "http://localhost:4000", ...headers },
  });

test("no value, body or answer is in any response; names, identities and figures are", async () => {
  const { reprise, order, refused, product } = createShop();
  await order.run({ reference: "R-1", card: canary }, { key: `key-${canary}-${"k".repeat(40)}` });
  await refused.execute({ reference: "R-2" }).catch(() => {});
  await product.get({ id: "p1" });
  await product.get({ id: "p1" });
  const page = pageHandler(reprise);
  const runs = (await (await page(get("/reprise/runs.json"), here)).json()) as RunsAnswer;
  expect(runs.runs.map(({ operation }) => operation).sort()).toEqual(["order", "refused"]);
  const paths = [
    "/reprise",
    "/reprise/metrics.json",
    "/reprise/metrics.json?range=1h",
    "/reprise/decisions.json",
    "/reprise/incidents.json",
    "/reprise/runs.json",
    "/reprise/runs.json?state=unknown",
    ...runs.runs.map(({ id }) => `/reprise/runs/${id}.json`),
  ];
  for (const path of paths) {
    const body = await (await page(get(path), here)).text();
    expect(body, path).not.toContain(canary);
  }
  const metrics = await (await page(get("/reprise/metrics.json"), here)).json();
  expect(metrics).toMatchObject({ v: 1, sees: "all-instances", instances: { seen: 1, expected: 1 } });
  expect(metrics.now.caches.product.perSecond).toBeGreaterThan(0);
});

test("a run is told as a timeline, in order", async () => {
  const { reprise, order } = createShop();
  await order.run({ reference: "R-1", card: "c" });
  const page = pageHandler(reprise);
  const { runs } = (await (await page(get("/reprise/runs.json?operation=order"))).json()) as RunsAnswer;
  const answer = (await (await page(get(`/reprise/runs/${runs[0]?.id}.json`))).json()) as RunAnswer;
  expect(answer.timeline.rows.map(({ what }) => what.replace(/ by .*/, ""))).toEqual([
    "**Claimed**",
    "Effect **charge** written down as **started**, then called",
    "**charge** answered, the answer **pinned**",
    "**Completed**: done",
  ]);
});

test("runs are limited and filtered, and what is no filter is none", async () => {
  const { reprise, order } = createShop();
  for (let one = 0; one < 5; one += 1) await order.run({ reference: `R-${one}`, card: "c" });
  const page = pageHandler(reprise);
  const ask = async (query: string) => (await (await page(get(`/reprise/runs.json${query}`))).json()) as RunsAnswer;
  expect(await ask("?limit=2")).toMatchObject({ more: true, runs: [{}, {}] });
  expect((await ask("?limit=-1&state=nonsense")).runs.length).toBe(5);
  expect((await ask("?state=running")).runs).toEqual([]);
  expect((await ask("?operation=refused")).runs).toEqual([]);
});

test("what succeeded twice is told with both runs, and without their values", async () => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  opened.push(reprise);
  const book = reprise.operation({
    name: "book",
    input: unchecked<{ readonly seat: string }>(),
    principal: "everyone",
    identity: "callers-key",
    retention: "1d",
    sameIntent: { of: (input) => [input.seat], within: "10m" },
    effects: "database",
    run: async ({ input }) => input.seat,
  });
  for (const [key, seat] of [
    ["key-1", `7 ${canary}`],
    ["key-2", `8 ${canary}`],
    ["key-3", `7 ${canary}`],
  ] as const) {
    await book.execute({ seat }, { key });
  }
  const answer = await pageHandler(reprise)(new Request("http://localhost/reprise/twice.json"), here);
  const text = await answer.text();
  expect(text).not.toContain(canary);
  expect(JSON.parse(text)).toMatchObject({
    twice: [{ operation: "book", first: { key: "ke…" }, second: { key: "ke…" } }],
  });
});

test("a ledger that is away answers 503 with its code, and the figures of this process are told", async () => {
  const { reprise } = createShop();
  await reprise.start();
  const page = pageHandler(reprise);
  await reprise["~inside"].ledger()?.close();
  const answer = await page(get("/reprise/runs.json"));
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: { code: "REPRISE_LEDGER_AWAY" } }]);
  const metrics = await page(get("/reprise/metrics.json"));
  expect(await metrics.json()).toMatchObject({
    sees: "this-process",
    ledger: { away: { code: "REPRISE_LEDGER_AWAY" } },
  });
});

test("everything carries a strict policy, JSON is not stored, and nothing else is answered", async () => {
  const { reprise } = createShop();
  const page = pageHandler(reprise);
  const json = await page(get("/reprise/decisions.json"));
  expect(json.headers.get("cache-control")).toBe("no-store");
  expect(json.headers.get("x-content-type-options")).toBe("nosniff");
  for (const path of ["/reprise", "/reprise/decisions.json", "/reprise/nothing"]) {
    const policy = (await page(get(path))).headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
  }
  const status = async (request: Request) => (await page(request, here)).status;
  expect(await status(get("/reprise/nothing"))).toBe(404);
  expect(await status(get("/reprised"))).toBe(404);
  expect(await status(get("/"))).toBe(404);
  expect(await status(get("/reprise/assets/..%2fpackage.json"))).toBe(404);
  expect(await status(get("/reprise/runs/0f.json"))).toBe(404);
  expect(await status(new Request("http://localhost:4000/reprise/runs.json", { method: "POST" }))).toBe(405);
  expect(await status(new Request("http://localhost:4000/reprise", { method: "DELETE" }))).toBe(405);
  expect(await status(get("/reprise/incidents/stampede/start"))).toBe(405);
});

test("it can be mounted elsewhere", async () => {
  const { reprise } = createShop();
  const page = pageHandler(reprise, { path: "/internal/reprise/" });
  expect((await page(get("/internal/reprise/decisions.json"))).status).toBe(200);
  expect((await page(get("/reprise/decisions.json"))).status).toBe(404);
});

test("an incident starts from this page on this machine, one at a time", async () => {
  const { reprise } = createShop();
  const [one, other] = [createIncident("stampede"), createIncident("double-charge")];
  const page = pageHandler(reprise, { incidents: [one.incident, other.incident] });
  expect((await page(start("stampede"), here)).status).toBe(202);
  expect((await page(start("double-charge"), here)).status).toBe(409);
  expect((await page(start("stampede"), here)).status).toBe(409);
  expect(await (await page(get("/reprise/incidents.json"), here)).json()).toMatchObject({
    startable: true,
    running: { name: "stampede", line: "half", share: 0.5 },
  });
  one.end();
  await new Promise((resolve) => setImmediate(resolve));
  const after = await (await page(get("/reprise/incidents.json"), here)).json();
  expect(after).toMatchObject({ running: null, incidents: [{ last: { headline: "An hour, or none." } }, {}] });
  expect((await page(start("double-charge"), here)).status).toBe(202);
  other.end();
  expect((await page(start("nothing"), here)).status).toBe(404);
});

test("a start that comes from elsewhere is refused, whatever it claims, and starts nothing", async () => {
  const { reprise } = createShop();
  const { incident, starts } = createIncident("stampede");
  const page = pageHandler(reprise, { incidents: [incident] });
  const refused: readonly (readonly [string, Request, PageContext?])[] = [
    ["another origin", start("stampede", { origin: "http://evil.test" }), here],
    ["another port", start("stampede", { origin: "http://localhost:5000" }), here],
    ["an opaque origin", start("stampede", { origin: "null" }), here],
    ["another site", start("stampede", { "sec-fetch-site": "cross-site" }), here],
    ["a neighbouring site", start("stampede", { "sec-fetch-site": "same-site" }), here],
    ["another machine", start("stampede"), { remoteAddress: "192.168.1.20" }],
    ["another machine, mapped", start("stampede"), { remoteAddress: "::ffff:10.0.0.1" }],
    ["nobody knows where", start("stampede"), {}],
    ["without a context", start("stampede")],
    ["a proxy", start("stampede", { "x-forwarded-for": "127.0.0.1" }), here],
    ["another proxy", start("stampede", { forwarded: "for=127.0.0.1" }), here],
    ["a proxy that names the host alone", start("stampede", { "x-forwarded-host": "localhost" }), here],
    ["a proxy that names itself", start("stampede", { via: "1.1 proxy" }), here],
    ["a proxy that names the client", start("stampede", { "x-real-ip": "127.0.0.1" }), here],
    ["a name that resolves here", start("stampede", { host: "evil.test", origin: "http://evil.test" }), here],
    ["a name like it", start("stampede", { host: "localhost.evil.test", origin: "http://localhost.evil.test" }), here],
    [
      "an address like it",
      start("stampede", { host: "127.0.0.1.evil.test", origin: "http://127.0.0.1.evil.test" }),
      here,
    ],
  ];
  for (const [what, request, context] of refused) expect((await page(request, context)).status, what).toBe(403);
  const silent = new Request("http://localhost:4000/reprise/incidents/stampede/start", { method: "POST" });
  expect((await page(silent, here)).status, "no origin").toBe(403);
  expect(starts()).toBe(0);
  const taken = [
    [start("stampede", { host: "[::1]:4000", origin: "http://[::1]:4000" }), { remoteAddress: "::1" }],
  ] as const;
  for (const [request, context] of taken) expect((await page(request, context)).status).toBe(202);
});

test("an incident that fails says why, and leaves the way free", async () => {
  const { reprise } = createShop();
  const { incident } = createIncident("stampede");
  const page = pageHandler(reprise, {
    incidents: [{ ...incident, start: () => Promise.reject(new Error("the load generator fell behind")) }],
  });
  expect((await page(start("stampede"), here)).status).toBe(202);
  await new Promise((resolve) => setImmediate(resolve));
  expect(await (await page(get("/reprise/incidents.json"))).json()).toMatchObject({
    running: null,
    incidents: [{ failed: "the load generator fell behind", last: null }],
  });
  expect((await page(start("stampede"), here)).status).toBe(202);
});

test("the feed tells the newest figures at once, to all from one sampling, and ends with the reprise", async () => {
  const { reprise, product } = createShop();
  await reprise.start();
  await product.get({ id: "p1" });
  const page = pageHandler(reprise);
  const responses = await Promise.all([page(get("/reprise/live")), page(get("/reprise/live"))]);
  const readers = responses.map((response) => response.body?.getReader());
  const [first] = await Promise.all(readers.map((reader) => reader?.read()));
  const text = new TextDecoder().decode(first?.value);
  expect(text).toMatch(/^event: live\ndata: \{"v":1,"service":"shop"/);
  expect(JSON.parse(text.slice(text.indexOf("{")))).toMatchObject({ incident: null, instances: { seen: 1 } });
  await readers[1]?.cancel();
  await reprise.close();
  let ended = await readers[0]?.read();
  while (ended?.done === false) ended = await readers[0]?.read();
  expect(ended?.done).toBe(true);
});
