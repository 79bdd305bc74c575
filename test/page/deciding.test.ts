import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { type PageOptions, pageHandler } from "../../src/page/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { type Look, openPages, overflow } from "./browser.ts";

/** A person decides in a real browser, by keyboard, about work that a real ledger keeps. */

const token = "0123456789abcdef0123456789abcdef";
const canary = "canary-4111111111111111";
const openPage = openPages();

/** `others`: runs that ended well, newer than the one that is parked. */
async function open(
  look: Look & { readonly hash?: string; readonly others?: number } = {},
  options: PageOptions = { token },
) {
  const reprise = createReprise({
    service: "shop",
    owner: "payments-team",
    undecided: "listed",
    ledger: memoryLedger(),
  });
  let calls = 0;
  const refund = reprise.operation({
    name: "refund.issue",
    input: unchecked<{ readonly reference: string; readonly card: string }>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "90d",
    costIfTwice: "money",
    effects: "external",
    refusals: { closed: { status: 409, because: "The account is closed." } },
    run: async ({ effect, input }) => {
      const id = await effect("refund", {
        ifUnknown: "park",
        run: async () => {
          calls += 1;
          if (calls === 1) throw new Error(`lost ${canary}`);
          return `rf_${input.reference}`;
        },
      });
      return { id };
    },
  });
  const again = () => refund.execute({ reference: "RF-1182", card: canary });
  await again();
  for (let other = 0; other < (look.others ?? 0); other += 1) {
    await refund.execute({ reference: `RF-${20_000 + other}`, card: canary });
  }
  const handler = pageHandler(reprise, options);
  const answers: string[] = [];
  const opened = await openPage(
    async (request, context) => {
      const response = await handler(request, context);
      if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
        answers.push(await response.clone().text());
      }
      return response;
    },
    look.hash ?? "#/operations/refund.issue",
    look,
    () => reprise.close(),
  );
  return { ...opened, again, answers, calls: () => calls };
}

/** Moves the focus forward until it stands on what has this name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let moved = 0; moved < 80; moved += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      const label =
        element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement
          ? element.labels?.[0]?.textContent
          : element?.textContent;
      return label ?? "";
    });
    if (name.test(focused)) return;
  }
  throw new Error(`nothing that is called ${name} takes the focus`);
}

async function unlock(page: Page): Promise<void> {
  await page.getByText("Decide: did 'refund' happen?").waitFor();
  await tabTo(page, /^Read-only$/);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Unlocked" }).waitFor();
}

test("unknown work is settled by keyboard, the run is shown as it stands, and the caller is told that outcome", async () => {
  const { page, complaints, again, answers, calls } = await open();
  await unlock(page);
  await tabTo(page, /^Settle: done$/);
  await page.keyboard.press("Enter");
  // the focus is in the form, on what it asks for first
  await page.keyboard.type(`{"id":"rf_9","card":"${canary}"}`);
  await page.keyboard.press("Tab");
  await page.keyboard.type("ann");
  await page.keyboard.press("Tab");
  await page.keyboard.type("seen in the bank's records");
  await page.keyboard.press("Enter");
  const recorded = page.getByText("Recorded, by ann: Settle: done. The work is done now.");
  await recorded.waitFor();
  expect(await recorded.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.getByRole("cell", { name: "Settled by ann: seen in the bank's records" }).waitFor();
  await page.getByText("No outcome is unknown").waitFor();
  expect(await page.getByRole("button", { name: /^(Settle|Answer|Rerun)/ }).count()).toBe(0);
  expect(await again()).toMatchObject({ status: "done", replayed: true, value: { id: "rf_9" } });
  expect(calls()).toBe(1);
  expect(complaints).toEqual([]);
  for (const answer of answers) {
    expect(answer).not.toContain(canary);
    expect(answer).not.toContain(token);
  }
});

test("a rerun by keyboard says that it is safe, opens the work, and its caller's attempt goes on", async () => {
  const { page, complaints, again } = await open();
  await unlock(page);
  await page.getByText("Safe. Opens the work again.").waitFor();
  await tabTo(page, /^Rerun$/);
  await page.keyboard.press("Enter");
  await page.keyboard.type("ann");
  await tabTo(page, /^Why$/);
  await page.keyboard.type("the gateway is back");
  await page.keyboard.press("Enter");
  await page.getByText("Recorded, by ann: Rerun. The work is open now.").waitFor();
  await page.getByRole("cell", { name: "Opened again by ann: the gateway is back" }).waitFor();
  expect(await again()).toMatchObject({ status: "unknown" });
  await page.getByText("Decide: did 'refund' happen?").waitFor();
  expect(complaints).toEqual([]);
});

test("Escape closes a form and gives its button the focus back; the view stays", async () => {
  const { page } = await open();
  await unlock(page);
  await tabTo(page, /^Answer: it did not$/);
  await page.keyboard.press("Enter");
  await page.getByRole("form", { name: "Answer: it did not" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("form").waitFor({ state: "detached" });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Answer: it did not");
  expect(await page.evaluate(() => location.hash)).toBe("#/operations/refund.issue");
});

test("each button says what it will do and what it costs to be wrong; none can be pressed before the token", async () => {
  const { page } = await open();
  await page.getByText("Decide: did 'refund' happen?").waitFor();
  const buttons = page.locator(".acts > li > button");
  expect(await buttons.allTextContents()).toEqual([
    "Rerun",
    "Answer: it happened",
    "Answer: it did not",
    "Settle: done",
    "Settle: refused",
  ]);
  for (const button of await buttons.all()) expect(await button.isDisabled()).toBe(true);
  await page.getByText("If you are wrong: it happens a second time, which costs money.").waitFor();
  await page.getByText(/npx reprise operations show MODULE [0-9a-f]{32}/).waitFor();
});

test("a wrong token is told, unlocks nothing and is not kept; the right one is kept in this tab, and in no address", async () => {
  const { page } = await open();
  await page.getByRole("button", { name: "Read-only" }).click();
  await page.getByLabel("Token").fill(token.replace("0", "1"));
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("The token is another one.").waitFor();
  const kept = () => page.evaluate(() => [Object.values(sessionStorage), Object.values(localStorage)].flat());
  expect(await kept()).toEqual([]);
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Unlocked" }).waitFor();
  expect(await kept()).toEqual([token]);
  expect(page.url()).not.toContain(token);
  await page.reload();
  await page.getByRole("button", { name: "Unlocked" }).click();
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await page.getByRole("button", { name: "Read-only" }).waitFor();
  expect(await kept()).toEqual([]);
});

test("a kept token that the service no longer takes is forgotten", async () => {
  const { page } = await open();
  await page.evaluate(() => sessionStorage.setItem("reprise-token", "another-token-of-an-earlier-start"));
  await page.reload();
  await page.getByRole("button", { name: "Read-only" }).waitFor();
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem("reprise-token"))).toBe(null);
});

test("without a token option the page is read-only and says how it is enabled", async () => {
  const { page, complaints } = await open({}, {});
  await page.getByText("Read-only. Decisions are carried out once pageHandler is given a token.").waitFor();
  await page.getByRole("button", { name: "How" }).click();
  await page.getByRole("dialog").getByText("pageHandler(reprise, { token })").waitFor();
  expect(await page.getByLabel("Token").count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("what is refused is told beside the button, and nothing is changed", async () => {
  const { page, again } = await open();
  await unlock(page);
  await page.getByRole("button", { name: "Answer: it did not" }).click();
  await page.getByLabel("Who decides").fill("ann");
  await page.getByLabel("Why").fill("it never came");
  await page.route("**/decide", (route) =>
    route.fulfill({
      status: 409,
      json: { v: 1, error: { code: "REPRISE_ILLEGAL_TRANSITION", message: "The work is open." } },
    }),
  );
  await page.getByRole("form").getByRole("button", { name: "Answer: it did not" }).click();
  await page.getByRole("alert").getByText("The work is open.").waitFor();
  await page.unroute("**/decide");
  await page.route("**/decide", (route) => route.abort());
  await page.getByRole("form").getByRole("button", { name: "Answer: it did not" }).click();
  await page.getByRole("alert").getByText("the decision may have been carried out all the same").waitFor();
  expect(await again()).toMatchObject({ status: "unknown" });
});

test("the overview names the run that needs a person, with what it costs, and leads to it", async () => {
  const { page } = await open({ hash: "", others: 60 });
  await page.getByText("refund.issue RF-1182: nobody knows whether it happened").click();
  await page.getByText("Decide: did 'refund' happen?").waitFor();
});

for (const [width, theme] of [
  [360, "light"],
  [400, "dark"],
  [1_180, "light"],
] as const) {
  test(`200 runs and an open form fit at ${width}, ${theme}, without sideways scroll`, async () => {
    const { page, complaints } = await open({ width, theme, others: 200, hash: "#/operations" });
    await page.getByText("Older ones are kept too").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("rf-2003");
    await expect.poll(() => page.locator(".runs .name").allTextContents()).toHaveLength(10);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.getByLabel("Find runs").fill("RF-1182");
    await page.getByRole("cell", { name: "RF-1182" }).click();
    await page.getByRole("button", { name: "Read-only" }).click();
    await page.getByLabel("Token").fill(token);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Answer: it happened" }).click();
    await page.getByLabel("The answer of 'refund', as JSON").fill("{ not yet");
    await page.getByText("This is no JSON yet.").waitFor();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
}
