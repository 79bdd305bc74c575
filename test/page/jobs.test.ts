import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { pageHandler } from "../../src/page/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { type Look, openPages, overflow } from "./browser.ts";
import { type FakeOptions, fakeReprise } from "./fake.ts";

/** Loads and schedules in a real browser: as they look with an invented past, and as a person acts on a real ledger. */

const openPage = openPages();
const token = "0123456789abcdef0123456789abcdef";
const canary = "canary-4111111111111111";

function openFake(hash: string, fake: FakeOptions = {}, look: Look = {}) {
  const reprise = fakeReprise({ jobs: true, ...fake });
  return openPage(pageHandler(reprise, { token }), hash, look, reprise.close);
}

const views = [
  ["#/loads", "rows read"],
  ["#/loads/sales.fact", "sales.fact#12"],
  ["#/loads/events.archive", "events.archive#2"],
  ["#/loads/invoices.fact", "invoices.fact"],
  ["#/schedules", "did not end well"],
  ["#/schedules/customers.enrich", "customers.enrich"],
  ["#/schedules/reminders.send", "reminders.send"],
  ["#/overview", "need a person"],
  ["#/decisions", "nobody has answered"],
] as const;

for (const [width, theme] of [
  [360, "dark"],
  [400, "light"],
  [1_180, "light"],
  [1_600, "dark"],
] as const) {
  test(`loads and schedules render at ${width}, ${theme}, without a complaint and without sideways scroll`, async () => {
    const { page, complaints } = await openFake("", {}, { width, theme });
    for (const [hash, title] of views) {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      await page.getByRole("heading", { name: title }).first().waitFor();
      for (const summary of await page.locator("details summary").all()) await summary.click();
      expect(await overflow(page), hash).toBeLessThanOrEqual(0);
      expect(await spilt(page), hash).toEqual([]);
    }
    expect(complaints).toEqual([]);
  });
}

/** Figures that are wider than their place, and a tab of the view that is cut off. */
const spilt = (page: Page) =>
  page.evaluate(() =>
    [
      ...[...document.querySelectorAll(".fig dd")].filter((one) => one.scrollWidth > one.clientWidth),
      ...[...document.querySelectorAll(".tabs [aria-current]")].filter((tab) => {
        const { left, right } = tab.getBoundingClientRect();
        return left < 0 || right > document.documentElement.clientWidth;
      }),
    ].map((one) => one.textContent),
  );

const cells = (page: Page) => page.locator(".strip svg > g > title").allTextContents();

test("windows stand as a strip: done, skipped, under way and to do, each with its counts", async () => {
  const { page } = await openFake("#/loads/sales.fact");
  await page.locator(".strip svg").waitFor();
  const titles = await cells(page);
  expect(titles).toHaveLength(78);
  expect(titles[0]).toMatch(/^the first to 2020-02-01: done by an earlier call, skipped; [\d,]+ read: .*unchanged/);
  expect(titles[30]).toMatch(/^2022-07-01 to 2022-08-01: done; [\d,]+ read/);
  expect(titles[47]).toBe("2023-12-01 to 2024-01-01: under way");
  expect(titles[48]).toBe("2024-01-01 to 2024-02-01: to do");
  await page
    .getByText(/47 of 78 windows.*rows; 20 windows done by an earlier call; [\d,]+ rows\/s, about \d+ s left/)
    .waitFor();
  await page.locator(".fig", { hasText: "Tied" }).getByText("3", { exact: true }).waitFor();
  await page.locator(".strip-ends").getByText("the first to 2020-02-01").waitFor();
  await page.locator(".strip-ends").getByText("2026-06-01 to the last").waitFor();
  await page.locator("details summary").first().click();
  expect(await page.locator("details tbody tr").count()).toBe(78);
});

test("three thousand windows are drawn as some hundred, and the table tells how many each is", async () => {
  const { page } = await openFake("#/loads/events.archive");
  await page.locator(".strip svg").waitFor();
  const titles = await cells(page);
  expect(titles.length).toBeLessThanOrEqual(240);
  expect(titles[0]).toMatch(/^windows 1 to 13: done; /);
  expect(titles[1]).toMatch(/^windows 14 to 26: done; /);
  await page.locator(".strip-ends").getByText("windows 2,991 to 3,000").waitFor();
});

test("ticks stand as a strip: ran, late, walked away, missed, paused, failed, running, in the schedule's zone", async () => {
  const { page } = await openFake("#/schedules/customers.enrich");
  await page.locator(".strip svg").waitFor();
  const titles = (await cells(page)).join("\n");
  for (const words of [
    /: walked away\n/,
    /, 7 ticks from .*: missed\n/,
    /: ran late; 11 min late, took/,
    /, 4 ticks from .*: paused; paused by ann: a new contract; resumed by ann: signed/,
    /: failed; took .*, FetchError ECONNREFUSED/,
    /: running at worker-1$/,
  ]) {
    expect(titles).toMatch(words);
  }
  const berlin = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit" });
  const [, hour] = / (\d\d):\d\d: running/.exec(titles) ?? [];
  expect([berlin.format(Date.now()), berlin.format(Date.now() - 900_000)]).toContain(hour);
  await page.getByText("times in Europe/Berlin").waitFor();
  await page.getByText(/the higher, the longer it took: [\d.]+ s to 33 min/).waitFor();
  expect(await page.locator(".strip-ends span").count()).toBe(2);
  await page.getByText("known already, not billed again").waitFor();
  await page.getByRole("cell", { name: "charge, book" }).waitFor();
});

test("what stopped, failed, is tied or paused needs a person, and leads to where it is seen", async () => {
  const { page } = await openFake("");
  for (const title of [
    "report.nightly: its last tick failed",
    "bookings.fact stopped at 9 of 24 windows",
    "sales.fact: 3 rows have the same version and other content",
    "reminders.send is paused by ann",
  ]) {
    await page.getByRole("link", { name: title }).waitFor();
  }
  await page.getByRole("link", { name: "reminders.send is paused by ann" }).click();
  await page.getByText(/Paused by ann for .*: the mail provider is down/).waitFor();
});

test("a kind of which nothing is declared has no tab, and its address says how one begins", async () => {
  const { page, complaints } = await openFake("#/loads", { jobs: false });
  await page.getByRole("heading", { name: "No load is declared." }).waitFor();
  expect(await page.getByRole("link", { name: "Loads" }).count()).toBe(0);
  await page.keyboard.press("5");
  expect(await page.evaluate(() => location.hash)).toBe("#/loads");
  expect(complaints).toEqual([]);
});

test("both kinds are a key away where they are declared", async () => {
  const { page } = await openFake("");
  await page.getByRole("link", { name: "Loads" }).waitFor();
  await page.keyboard.press("4");
  await page.getByRole("heading", { name: "rows read" }).waitFor();
  await page.keyboard.press("5");
  await page.getByRole("heading", { name: "did not end well" }).waitFor();
});

/** A real ledger, a real table and a real worker. */
async function openReal(hash: string) {
  const directory = mkdtempSync(join(tmpdir(), "reprise-page-"));
  const ledger = sqliteLedger({ path: join(directory, "shop.db") });
  await ledger.open();
  for (const statement of [
    "create table staging (ref text, day text, version integer, amount text)",
    "create table fact (ref text not null, day text not null, version integer not null, amount text)",
    `insert into staging values ('${canary}', '2026-01-05', 1, '${canary}'), ('b', '2026-02-05', 1, 'x'), ('c', '2026-03-05', 1, 'y')`,
  ]) {
    await ledger.transaction((tx) => tx.query(statement));
  }
  const reprise = createReprise({ service: "shop", owner: "reporting", ledger, workers: 0 });
  reprise.load({
    ...{ name: "sales/fact", ifRunsAgain: "converges", from: "staging", into: "fact", identity: ["ref", "day"] },
    ...{ newer: "version", ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep" },
    windows: { by: "day", each: "1mo" },
  });
  let bills = 0;
  const enrich = reprise.operation({
    ...{ name: "customer.enrich", input: unchecked<{ readonly id: string }>(), principal: "everyone" },
    ...{
      identity: ({ id }) => [id],
      ifRunsAgain: "replays",
      costIfTwice: "money",
      retention: "90d",
      effects: "external",
    },
    run: async ({ pinned }) => {
      await pinned("price", () => {
        bills += 1;
        return canary;
      });
    },
  });
  reprise.schedule({
    ...{ name: "customers.enrich", at: "0 3 * * *", timeZone: "Europe/Berlin", ifStillRunning: "walk-away" },
    ...{ ifMissed: "skip", costIfTwice: "money", retention: "90d" },
    work: () => [{ id: "ann" }, { id: "bea" }],
    each: enrich,
  });
  const handler = pageHandler(reprise, { token });
  const answers: string[] = [];
  const opened = await openPage(
    async (request, context) => {
      const response = await handler(request, context);
      if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
        answers.push(await response.clone().text());
      return response;
    },
    hash,
    {},
    async () => {
      await reprise.close();
      rmSync(directory, { recursive: true, force: true });
    },
  );
  const execute = (statement: string) => ledger.transaction((tx) => tx.query(statement));
  return { ...opened, answers, execute, bills: () => bills };
}

async function unlock(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Read-only" }).click();
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Unlocked" }).waitFor();
}

async function act(page: Page, name: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.getByRole("button", { name, exact: true }).first().click();
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value);
  await page.getByRole("form", { name }).getByRole("button", { name }).click();
}

test("a load is refused with the statements that mend it, then run, seen and compared, with the token alone", async () => {
  const { page, complaints, answers, execute } = await openReal("#/loads");
  await page.getByText("It has not run yet").waitFor();
  for (const button of await page.locator(".acts > li > button").all()) expect(await button.isDisabled()).toBe(true);
  await unlock(page);
  await act(page, "Run now");
  await page.getByText("Refused: nothing was written.").waitFor();
  await page.getByText(/create unique index/).waitFor();
  await page.evaluate(() => {
    location.hash = "#/overview";
  });
  await page.getByRole("link", { name: "sales/fact: its last run was refused, and wrote nothing" }).click();
  await page.getByText("Refused: nothing was written.").waitFor();
  await execute("create unique index natural on fact (ref, day)");

  await act(page, "Run now", { "From, empty: from the least": "2026-02" });
  await page.getByText("Done, sales/fact#1: 2 windows. 2 read: 2 inserted.").waitFor();
  await page.getByText("In the newest run of the one load. None is unfinished.").waitFor();
  await page.getByRole("heading", { name: "sales/fact#1 done" }).waitFor();
  expect(await cells(page)).toHaveLength(2);
  await act(page, "Preview");
  await page.getByText("A run would do this, as things stood then: 3 read: 1 inserted, 2 unchanged.").waitFor();
  await act(page, "Reconcile");
  await page.getByText("It differs in 1 missing in the table.").waitFor();
  await act(page, "Run now", { "From, empty: from the least": "soon" });
  await page.getByRole("alert").getByText("'from' is no month, day, instant or whole number").waitFor();
  expect(complaints.filter((complaint) => !complaint.includes("400"))).toEqual([]);
  for (const answer of answers) expect(answer).not.toContain(canary);
});

test("a tick is run, replayed without a second bill, paused with who and why, and resumed", async () => {
  const { page, complaints, answers, bills } = await openReal("#/schedules");
  await page.getByText("No tick has come due").waitFor();
  await unlock(page);
  await act(page, "Run now");
  await page.getByText(/03:00: ran late in .*\./).waitFor();
  expect(bills()).toBe(2);
  await act(page, "Run now");
  await page.getByRole("cell", { name: "price" }).first().waitFor();
  expect(bills()).toBe(2);
  await page.getByText("Mind: what comes due meanwhile does not run").waitFor();
  const address = `https://tickets.example/${"a-long-way-down/".repeat(8)}`;
  await act(page, "Pause", { "Who decides": "ann", Why: `the API is down, ${address.replaceAll("-", "")}` });
  await page.getByText("Paused by ann").waitFor();
  await page.setViewportSize({ width: 360, height: 900 });
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1_600, height: 1_000 });
  await act(page, "Resume", { Why: "it is back" });
  await page.getByText("Paused by ann").waitFor({ state: "detached" });
  expect(complaints).toEqual([]);
  for (const answer of answers) expect(answer).not.toContain(canary);
});
