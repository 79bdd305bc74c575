import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { pageHandler } from "../../src/page/index.ts";
import { type Look, openPages, overflow } from "./browser.ts";
import { type FakeOptions, fakeReprise } from "./fake.ts";
import { fakeIncidents } from "./fake-incidents.ts";

const openPage = openPages();

function open(hash = "", fake: FakeOptions = {}, look: Look & { readonly incidents?: boolean } = {}) {
  const reprise = fakeReprise(fake);
  const handler = pageHandler(reprise, { incidents: look.incidents === false ? [] : fakeIncidents() });
  return openPage(handler, hash, look, reprise.close);
}

const heading = (page: Page) => page.locator("h1").first();

const views = [
  ["#/overview", "Three things need a person."],
  ["#/caches", "Five caches, four owners."],
  ["#/caches/search.suggest", ""],
  ["#/operations", "second runs, answered from the ledger."],
  ["#/operations/seat.book/c1", ""],
  ["#/incidents/stampede", "Four minutes of outage, or none."],
  ["#/incidents/double-charge", "Charged twice, or once."],
  ["#/decisions", "Two questions nobody has answered."],
] as const;

const looks = [
  [360, "light"],
  [400, "light"],
  [400, "dark"],
  [1_600, "light"],
  [1_600, "dark"],
] as const;
for (const [width, theme] of looks) {
  test(`every view renders at ${width}, ${theme}, without a complaint and without sideways scroll`, async () => {
    const { page, complaints } = await open("", {}, { width, theme });
    for (const [hash, title] of views) {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      if (title !== "") await page.getByRole("heading", { level: 1, name: title }).waitFor();
      else await page.locator("h2").first().waitFor();
      expect(await overflow(page), hash).toBeLessThanOrEqual(0);
    }
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe(theme);
    expect(complaints).toEqual([]);
  });
}

test("nothing to do: the list is gone and the reads take the width", async () => {
  const { page, complaints } = await open("", { quiet: true });
  await page.getByRole("heading", { name: "Nothing needs a person." }).waitFor();
  expect(await page.locator(".needs").count()).toBe(0);
  expect(await page.locator(".count").count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("work that no attempt ended needs a person, with its last word", async () => {
  const { page, complaints } = await open("", { quiet: true, poisoned: true });
  await page.getByText("seat.book BK-20302: it cannot go on by itself").waitFor();
  await page.getByText("No attempt can end it. 10 attempts ended without an answer.").waitFor();
  expect(complaints).toEqual([]);
});

test("an effect that was answered twice, with answers that differ, needs a person", async () => {
  const { page, complaints } = await open("", { quiet: true, twice: true });
  await page.getByRole("heading", { name: "One thing needs a person." }).waitFor();
  await page.getByText("seat.book: an effect was answered twice, and the answers differ").waitFor();
  expect(complaints).toEqual([]);
});

test("a success that happened twice needs a person, and both runs are a click away", async () => {
  const { page, complaints } = await open("", { quiet: true, second: true });
  await page.getByRole("heading", { name: "One thing needs a person." }).waitFor();
  await page.getByText(/^seat\.book succeeded twice: two for one intent, .* apart$/).waitFor();
  await page.getByRole("link", { name: "the first, BK-20461" }).click();
  await page.getByRole("heading", { name: /BK-20461/ }).waitFor();
  expect(new URL(page.url()).hash).toBe("#/operations/seat.book/b1");
  expect(complaints).toEqual([]);
});

for (const width of [360, 1_600]) {
  test(`the steps at which a process was killed stand apart at ${width}, and the table tells each moment`, async () => {
    const { page } = await open("#/incidents/double-charge", {}, { width });
    const labels = page.locator("figure svg text[text-anchor=middle]");
    await labels.first().waitFor();
    const boxes = await labels.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
    const meet = boxes.filter((a, index) =>
      boxes.some(
        (b, other) =>
          other > index && a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom,
      ),
    );
    expect(meet).toEqual([]);
    expect(boxes.length).toBeGreaterThanOrEqual(16);
    await page.locator("figure summary").first().click();
    await page.getByRole("cell", { name: "booking's transaction: inside", exact: true }).first().waitFor();
  });
}

test("empty: the first declaration to write, and every question not asked yet", async () => {
  const { page, complaints } = await open("", { empty: true }, { incidents: false });
  await page.getByRole("heading", { name: "Nothing has been declared yet." }).waitFor();
  expect(await page.getByText("not asked yet").count()).toBe(12);
  expect(complaints).toEqual([]);
});

test("loading: who has answered, and bars that appear only after a while", async () => {
  const { page } = await open("");
  await page.route("**/decisions.json", () => {});
  await page.reload();
  await page.getByRole("heading", { name: "Reading booking" }).waitFor();
  await page.getByText("1 of 2 instances have answered.").waitFor();
  await page.locator(".bones:not(.bones-wait)").first().waitFor();
});

test("an instance that fell silent is missed: 1 of 2", async () => {
  const { page } = await open("");
  await page.locator("[data-instances]").waitFor();
  expect((await page.locator("[data-instances]").textContent())?.trim()).toBe("1 of 2");
  await page.getByText(/^silent for/).waitFor();
});

test("error: the ledger that is away is named with its code, and the reads go on", async () => {
  const { page } = await open("", { ledger: "away" });
  const notice = page.getByRole("alert");
  await notice.waitFor();
  expect(await notice.textContent()).toContain("REPRISE_LEDGER_AWAY");
  await page.getByText("This process only, while the ledger does not answer").waitFor();
});

test("without a ledger it says that it shows this process only", async () => {
  const { page, complaints } = await open("", { ledger: "none" });
  await page.getByText("This process only: there is no ledger").waitFor();
  expect(complaints).toEqual([]);
});

test("disconnected: said within five seconds, dimmed, and healed alone", async () => {
  const { page, away, back } = await open("");
  await page.locator(".conn", { hasText: "Live" }).waitFor();
  await heading(page).waitFor();
  await away();
  await page.getByText("Disconnected").waitFor({ timeout: 5_000 });
  await page.getByText(/^No news from booking since \d\d:\d\d:\d\d\.$/).waitFor();
  await page.getByRole("button", { name: "Try now" }).waitFor();
  expect(await page.evaluate(() => document.body.dataset["state"])).toBe("disconnected");
  // what was known stays
  expect(await heading(page).textContent()).toBe("Three things need a person.");
  await back();
  await page.locator(".conn", { hasText: "Live" }).waitFor({ timeout: 15_000 });
  expect(await page.locator(".notice").count()).toBe(0);
});

test("an incident is replayed from its button, shows how far it is, and is there when it has ended", async () => {
  const { page, complaints } = await open("#/incidents/double-charge");
  await page.getByRole("button", { name: "Replay, 4 s" }).click();
  await page.getByRole("progressbar").waitFor();
  await page.getByRole("button", { name: "Replaying" }).waitFor();
  await page.getByRole("button", { name: "Replay, 4 s" }).waitFor();
  await page.getByText(/Replayed on \d+ \w+ at/).waitFor();
  expect(complaints).toEqual([]);
});

test("without incidents the tab is absent, by mouse and by key", async () => {
  const { page } = await open("", {}, { incidents: false });
  await heading(page).waitFor();
  expect(await page.getByRole("link", { name: "Incidents" }).count()).toBe(0);
  await page.keyboard.press("7");
  expect(await page.evaluate(() => location.hash)).toBe("");
});

test("the keys lead everywhere, and the address says where", async () => {
  const { page } = await open("");
  await heading(page).waitFor();
  const hash = () => page.evaluate(() => location.hash);
  await page.keyboard.press("2");
  await page.getByRole("heading", { name: "Five caches, four owners." }).waitFor();
  expect(await hash()).toBe("#/caches");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  expect(await hash()).toBe("#/caches/workshop.detail");
  await page.keyboard.press("Escape");
  expect(await hash()).toBe("#/caches");
  await page.keyboard.press("/");
  await page.keyboard.type("search");
  await page.locator("tr[data-go]").nth(1).waitFor({ state: "detached" });
  expect(await hash()).toBe("#/caches?filter=search");
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("8");
  await page.getByRole("heading", { name: "Two questions nobody has answered." }).waitFor();
});

test("a range and an order are part of the address", async () => {
  const { page } = await open("#/caches?range=1h&sort=name-up");
  await page.locator("th[aria-sort=ascending]").waitFor();
  const names = await page.locator("tr[data-go] .name").allTextContents();
  expect(names).toEqual([...names].sort());
  await page.getByRole("link", { name: "1 h", exact: true }).and(page.locator("[aria-current]")).waitFor();
});

test("each plot has its figures as a table", async () => {
  const { page } = await open("");
  await page.locator("figure canvas").first().waitFor();
  await page.locator("figure summary").first().click();
  await page.locator("figure table").first().waitFor();
  expect(await page.locator("figure table").first().locator("tbody tr").count()).toBeGreaterThan(10);
});

test("a read is explained by Enter: what it would do, why, and how old the value is", async () => {
  const { page, complaints } = await open("#/caches/workshop.availability");
  await page.getByLabel("workshop", { exact: true }).fill("old 17");
  await page.keyboard.press("Enter");
  await page.getByText("It would come from memory, stale. Nobody waits.").waitFor();
  await page.getByText("A load is under way already.").waitFor();
  await page.getByRole("img", { name: "1 min 24 s old; fresh for 1 min, gone after 6 min" }).waitFor();
  await page.getByText("running for 31 ms, 3 readers wait").waitFor();
  await page.getByLabel("workshop", { exact: true }).fill("cold 17");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("It would load from the source, and wait for it.").waitFor();
  expect(complaints).toEqual([]);
});

test("an explanation that is refused says what to write instead, and another cache begins anew", async () => {
  const { page } = await open("#/caches/instructor.profile");
  await page.route("**/explain.json*", (route) =>
    route.fulfill({
      status: 400,
      json: { v: 1, error: { code: "bad-scope", message: "'instructor' is no text, number or boolean." } },
    }),
  );
  await page.getByLabel("instructor", { exact: true }).fill("17");
  const asked = page.waitForRequest("**/explain.json*");
  await page.keyboard.press("Enter");
  expect(new URL((await asked).url()).searchParams.get("scope")).toBe('{"instructor":17}');
  await page.getByText("'instructor' is no text, number or boolean.").waitFor();
  await page.getByRole("cell", { name: "page.views" }).click();
  await page.getByLabel("page", { exact: true }).waitFor();
  expect(await page.getByText("is no text, number or boolean").count()).toBe(0);
});

test("the size of memory is told by the curve, of one cache and of all, with the bill in words", async () => {
  const { page, complaints } = await open("#/caches/workshop.availability");
  await page.getByRole("heading", { name: /^Size: / }).waitFor();
  await page.getByText(/^It holds [\d.]+ MB, enough for [\d.]+% of reads\./).waitFor();
  await page.getByText(/not worth a person's time|nothing to change|for the sake of speed/).waitFor();
  await page.getByText("Bytes on a logarithmic axis", { exact: false }).waitFor();
  await page.getByRole("button", { name: "All caches" }).click();
  await page.getByText(/^It holds 2\d MB/).waitFor();
  expect(complaints).toEqual([]);
});

test("too few reads, and nobody who watches, are said instead of a curve", async () => {
  const few = await open("#/caches/workshop.availability", { curve: "few" });
  await few.page.getByText("Too few reads yet: 312 of 1,000.", { exact: false }).waitFor();
  const none = await open("#/caches/workshop.availability", { curve: "none" });
  await none.page.getByRole("heading", { name: "Size: nobody watches" }).waitFor();
  expect([...few.complaints, ...none.complaints]).toEqual([]);
});

test("a write-behind cache tells what it has acknowledged and not delivered", async () => {
  const { page } = await open("#/caches/page.views");
  await page.locator(".fig", { hasText: "Pending writes" }).getByText("12").waitFor();
  await page.getByText("Written to the journal, later to the source.", { exact: false }).waitFor();
});

test("what was decided of eviction is told by name: policy, bound, protection", async () => {
  const { page } = await open("#/caches/workshop.availability");
  await page.getByText("What is read least goes first, new entries on probation (lfu).", { exact: false }).waitFor();
  await page.getByText("64 MB for all caches of an instance.", { exact: false }).waitFor();
  await page.getByText("Entries of this cache leave last: it is protected.", { exact: false }).waitFor();
});
