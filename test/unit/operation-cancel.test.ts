import { expect, test } from "vitest";
import { isRepriseError, unchecked } from "../../src/index.ts";
import { gate } from "../support/bookings.ts";
import { acceptedId, createExports, january } from "./operation-background-stand.ts";

test("cancelled work that waits never runs, and ends as refused", async () => {
  const { exported, clock, runs, store } = createExports({ workers: 0 });
  const id = await acceptedId(exported.execute(january));
  expect(await exported.cancel(id, { principal: "ann" })).toBe(true);
  expect(await exported.cancel(id)).toBe(false);
  expect(await exported.status(id)).toMatchObject({ state: "cancelling" });
  const worker = createExports({ clock, store });
  await worker.reprise.start();
  await clock.advance(3_000);
  expect(await exported.status(id)).toMatchObject({
    state: "ended",
    outcome: { status: "refused", code: "cancelled" },
  });
  expect(await exported.execute(january)).toMatchObject({ status: "refused", code: "cancelled", replayed: true });
  expect([...runs, ...worker.runs]).toEqual([]);
  expect(await exported.cancel(id)).toBe(false);
});

test("a run that is cancelled hears of it by its signal, in this process at once and in another with the next renewal", async () => {
  for (const place of ["here", "elsewhere"]) {
    const worker = createExports();
    const heard = gate<unknown>();
    worker.at.start = (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          heard.open(signal.reason);
          reject(signal.reason);
        });
      });
    const id = await acceptedId(worker.exported.execute(january));
    await worker.clock.advance(0);
    const asking = place === "here" ? worker : createExports({ ...worker, workers: 0 });
    expect(await asking.exported.cancel(id)).toBe(true);
    await worker.clock.advance(place === "here" ? 0 : 11_000);
    expect(isRepriseError(await heard.passed, "REPRISE_CANCELLED")).toBe(true);
    expect(await asking.exported.status(id)).toMatchObject({ outcome: { status: "refused", code: "cancelled" } });
    expect(worker.uploads).toEqual([]);
  }
});

test("a run hears at once that it is cancelled, though an earlier one of this process that lost its lease ends after it began", async () => {
  const { exported, clock, at, faulty } = createExports({ workers: 0 });
  const [slow, heard] = [gate(), gate<unknown>()];
  const id = await acceptedId(exported.execute(january));
  at.start = () => slow.passed;
  for (let call = 1; call <= 20; call += 1) faulty.fail("renew", { call });
  const first = exported.resume(id).catch(() => {});
  await clock.advance(31_000);
  at.start = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        heard.open(signal.reason);
        reject(signal.reason);
      });
    });
  const second = exported.resume(id);
  await clock.advance(0);
  slow.open();
  await first;
  expect(await exported.cancel(id)).toBe(true);
  await clock.advance(0);
  expect(isRepriseError(await heard.passed, "REPRISE_CANCELLED")).toBe(true);
  expect(await second).toMatchObject({ status: "refused", code: "cancelled" });
});

test("work that is cancelled after something of it happened waits for a person, unless its run ends it well", async () => {
  const { reprise, clock } = createExports();
  const refunds: string[] = [];
  const order = reprise.operation({
    name: "order",
    input: unchecked<{ readonly id: string; readonly refunds: boolean }>(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "external",
    dispatch: "background",
    run: async ({ input, effect, signal, refuse }) => {
      await effect("charge", { ifUnknown: "retry", run: async () => "ch_1" });
      const cancelled = await new Promise<unknown>((resolve) =>
        signal.addEventListener("abort", () => resolve(signal.reason)),
      );
      if (!input.refunds) throw cancelled;
      await effect("refund", {
        ifUnknown: "retry",
        run: async () => {
          refunds.push(input.id);
        },
      });
      throw refuse("cancelled");
    },
  });
  const ids = await Promise.all(
    [false, true].map((refunds) => acceptedId(order.execute({ id: `refunds ${refunds}`, refunds }))),
  );
  await clock.advance(0);
  for (const id of ids) expect(await order.cancel(id)).toBe(true);
  await clock.advance(100);
  expect(await Promise.all(ids.map((id) => order.status(id)))).toMatchObject([
    { state: "unknown", effect: "charge" },
    { state: "ended", outcome: { status: "refused", code: "cancelled" } },
  ]);
  expect(refunds).toEqual(["refunds true"]);
});

test("a run that finishes all the same is done, although it was cancelled", async () => {
  const { exported, clock, at } = createExports();
  const opened = gate();
  at.start = () => opened.passed;
  const id = await acceptedId(exported.execute(january));
  await clock.advance(0);
  await exported.cancel(id);
  opened.open();
  await clock.advance(0);
  expect(await exported.status(id)).toMatchObject({ outcome: { status: "done" } });
});
