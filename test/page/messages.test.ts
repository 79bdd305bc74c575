import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { pageHandler } from "../../src/page/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { queue } from "../support/queue.ts";
import { type Look, openPages, overflow } from "./browser.ts";
import { type FakeOptions, fakeReprise } from "./fake.ts";

/** Consumers and dead letters in a real browser: as they look with an invented past, and as a person acts on a queue. */

const openPage = openPages();
/** A machine with other work to do. */
const patient = { timeout: 10_000 };
const token = "0123456789abcdef0123456789abcdef";
const canary = "canary-4111111111111111";

function openFake(hash: string, fake: FakeOptions = {}, look: Look = {}) {
  const reprise = fakeReprise({ messages: true, ...fake });
  return openPage(pageHandler(reprise, { token }), hash, look, reprise.close);
}

async function unlock(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Read-only" }).click();
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Unlocked" }).waitFor();
}

const views = [
  ["#/messages", "absorbed"],
  ["#/messages/rabbitmq%20seat.released", "Set aside"],
  ["#/messages/nats%20BADGES%20render-badges-of-every-workshop", "render-badges-of-every-workshop"],
  ["#/messages/kafka%20newsletter.subscribed", "Set aside"],
  ["#/overview", "need a person"],
  ["#/decisions", "nobody has answered"],
] as const;

for (const [width, theme] of [
  [360, "dark"],
  [1_280, "light"],
] as const) {
  test(`messages render at ${width}, ${theme}, locked and unlocked, without a complaint and without sideways scroll`, async () => {
    const { page, complaints } = await openFake("", {}, { width, theme });
    for (const unlocked of [false, true]) {
      if (unlocked) await unlock(page);
      for (const [hash, title] of views) {
        await page.evaluate((to) => {
          location.hash = to;
        }, hash);
        await page.getByRole("heading", { name: title }).first().waitFor();
        expect(await overflow(page), hash).toBeLessThanOrEqual(0);
        expect(await spilt(page), hash).toEqual([]);
      }
    }
    expect(complaints).toEqual([]);
  });
}

/** Figures that are wider than their place, and buttons that lie beyond the edge of theirs. */
const spilt = (page: Page) =>
  page.evaluate(() =>
    [
      ...[...document.querySelectorAll(".fig dd")].filter((one) => one.scrollWidth > one.clientWidth),
      ...[...document.querySelectorAll(".letters button")].filter(
        (button) => button.getBoundingClientRect().right > document.documentElement.clientWidth,
      ),
    ].map((one) => one.textContent),
  );

test("consumers stand with what was received, absorbed, waits and is set aside, and lead to their dead letters", async () => {
  const { page } = await openFake("");
  await page.getByRole("link", { name: "rabbitmq seat.released: 6 messages are set aside" }).click();
  const cell = (name: string) => page.locator(".letters").getByRole("cell", { name, exact: true });
  await cell("FetchError ECONNREFUSED").waitFor();
  for (const name of ["invalid", "mismatch", "too old", "foreign", "its identity came with other input before"]) {
    await cell(name).first().waitFor();
  }
  const row = page.getByRole("table", { name: "Consumers" }).getByRole("row", { name: "rabbitmq seat.released" });
  expect(await row.getByRole("cell").allTextContents()).toEqual([
    expect.stringMatching(/^rabbitmq seat\.released/),
    ...["seat.release", "booking-team"],
    ...[expect.stringMatching(/^[1-9]/), expect.stringMatching(/^[1-9]/), expect.stringMatching(/^[1-9]/)],
    ...["1,204", "6", "0"],
  ]);
  await page.getByText("none: it may be delivered again after any time").waitFor();
  expect(await page.locator("main").textContent()).not.toContain("canary");
  await page.keyboard.press("1");
  await page.getByText(/\d+ redeliver(y|ies) absorbed by business id/).waitFor({ state: "detached" });
  await page.getByText("Nobody has decided this in full for").last().waitFor();
});

test("outboxes stand with what was sent and what waits, and one whose oldest message waits too long needs somebody", async () => {
  const { page } = await openFake("");
  await page.getByRole("link", { name: /^seat\.released: its oldest message has not been sent for 3 min/ }).click();
  const row = (name: string) => page.getByRole("table", { name: "Outboxes" }).getByRole("row", { name });
  await row("seat.released").waitFor();
  const some = expect.stringMatching(/^[1-9]/);
  expect(await row("seat.released").getByRole("cell").allTextContents()).toEqual([
    ...[expect.stringMatching(/^seat\.released/), "rabbitmq seat.released", some, some, some],
    ...["1,318", expect.stringMatching(/^3 min/)],
  ]);
  // nothing is sent of a queue
  expect(await row("seat.book").getByRole("cell").allTextContents()).toEqual([
    ...[expect.stringMatching(/^seat\.book/), "a queue in the ledger", some, "–", "–", "3"],
    expect.stringMatching(/ s$/),
  ]);
  await page.keyboard.press("1");
  await page.getByText("attempts failed in the range shown: the broker refuses or is away").waitFor();
});

test("where nothing waits too long, no outbox needs anybody", async () => {
  const { page } = await openFake("#/messages", { quiet: true });
  await page.getByRole("table", { name: "Outboxes" }).waitFor();
  await page.keyboard.press("1");
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  expect(await page.getByText("its oldest message").count()).toBe(0);
});

test("where there is no consumer there is no tab, and its address says how one begins", async () => {
  const { page, complaints } = await openFake("#/messages", { messages: false });
  await page.getByRole("heading", { name: "No consumer is declared." }).waitFor();
  expect(await page.getByRole("link", { name: "Messages" }).count()).toBe(0);
  expect(complaints).toEqual([]);
});

/** A real consumer on a queue in this process, and every answer of the page. */
async function openReal() {
  const broker = queue({ clock: systemClock, name: "queue seats" });
  let looks = 0;
  const source = {
    ...broker.source,
    standing: async () => ({ waiting: 0, setAside: broker.deadLetters.length }),
    deadLetters: async () => {
      looks += 1;
      if (broker.source.deadLetters === undefined) throw new Error("it shows nothing");
      return broker.source.deadLetters();
    },
  };
  const reprise = createReprise({ service: "shop", owner: "box-office", ledger: memoryLedger() });
  let isBroken = true;
  const runs: string[] = [];
  const book = reprise.operation({
    ...{ name: "seat.book", input: unchecked<{ readonly reference: string }>(), principal: "everyone" },
    ...{ ifRunsAgain: "replays", costIfTwice: "money", retention: "1d", effects: "external" },
    identity: ({ reference }) => [reference],
    run: async ({ input }) => {
      if (isBroken) throw new TypeError(canary);
      runs.push(input.reference);
    },
  });
  const consumer = reprise.consume(book, source, { attempts: 1 });
  await reprise.start();
  await consumer.ready;
  for (const reference of [canary, "B"]) broker.send({ reference });
  broker.send(`no json: ${canary}`);
  await expect.poll(() => broker.deadLetters.length, patient).toBe(3);
  const handler = pageHandler(reprise, { token });
  const answers: { readonly path: string; readonly text: string }[] = [];
  const opened = await openPage(
    async (request, context) => {
      const response = await handler(request, context);
      const isFeed = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (isFeed !== true) answers.push({ path: new URL(request.url).pathname, text: await response.clone().text() });
      return response;
    },
    "#/messages",
    {},
    () => reprise.close(),
  );
  const mend = () => {
    isBroken = false;
  };
  return { ...opened, broker, answers, mend, runs, looks: () => looks };
}

test("dead letters are sent again and removed, one by one and by their reason, with the token alone", async () => {
  const { page, complaints, broker, answers, mend, runs, looks } = await openReal();
  const rows = page.locator(".letters tbody tr");
  await rows.nth(2).waitFor();
  expect(await page.locator(".letters button").count()).toBe(0);
  await unlock(page);
  mend();
  await rows.filter({ hasText: "TypeError" }).first().getByRole("button", { name: "Redrive" }).click();
  await expect.poll(() => runs, patient).toEqual([canary]);
  await rows.nth(2).waitFor({ state: "detached" });
  await page.getByText("1 sent again.").waitFor();

  const invalid = rows.filter({ hasText: "its body cannot be read" });
  await invalid.getByRole("button", { name: "Discard" }).click();
  await invalid.getByRole("button", { name: "Keep" }).click();
  expect(broker.deadLetters).toHaveLength(2);
  await page.locator(".acts").getByRole("button", { name: "Discard" }).click();
  const form = page.getByRole("form", { name: "Discard" });
  expect(await form.getByRole("button", { name: "Discard" }).isDisabled()).toBe(true);
  await form.getByLabel("Set aside for").selectOption("invalid");
  await form.getByRole("button", { name: "Discard" }).click();
  await page.getByText("1 removed for good.").waitFor();
  expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed"]);

  await page.locator(".acts").getByRole("button", { name: "Redrive" }).click();
  await page.getByRole("form", { name: "Redrive" }).getByRole("button", { name: "Redrive" }).click();
  await expect.poll(() => runs, patient).toEqual([canary, "B"]);
  await page.getByText("Nothing is set aside.").waitFor();
  expect(complaints).toEqual([]);
  // the list of runs names each by its identity, and whether it is asked for by now is a matter of time
  for (const { path, text } of answers) if (!path.endsWith("/runs.json")) expect(text).not.toContain("canary");

  // a page that lies open asks the broker for none of them
  const before = looks();
  const asked = answers.length;
  await expect.poll(() => answers.length, patient).toBeGreaterThan(asked + 6);
  expect(looks()).toBe(before);
  await page.getByRole("button", { name: "Look again" }).click();
  await expect.poll(looks, patient).toBe(before + 1);
});
