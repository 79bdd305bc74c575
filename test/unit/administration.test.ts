import { expect, test } from "vitest";
import { administer } from "../../src/admin/index.ts";
import type { WorkId } from "../../src/base/names.ts";
import { manualClock } from "../../src/testing/index.ts";
import { alice, createBookings, gate, lost } from "../support/bookings.ts";

const note = { who: "ann", why: "seen in the gateway's records" };

/** A booking whose charge gave no answer and is parked for a person. */
async function parkedBooking() {
  const bookings = createBookings({ ifUnknown: "park" });
  bookings.gateway.next = [lost];
  expect(await bookings.book.execute(alice)).toMatchObject({ status: "unknown", effect: "charge" });
  const administration = administer(bookings.reprise);
  const [run] = await administration.list({ state: "unknown" });
  return { ...bookings, administration, id: String(run?.id) };
}

test("work with a lost answer is listed with what a person may decide, each with what it will do", async () => {
  const { administration, id } = await parkedBooking();
  const { run, choices } = await administration.show(id);
  expect(run).toMatchObject({ state: "unknown", operation: "seat.book" });
  expect(choices.map(({ does, effect, with: given }) => [does, effect, given])).toEqual([
    ["rerun", undefined, undefined],
    ["answer", "charge", "value"],
    ["answer", "charge", "never-happened"],
    ["settle", undefined, "value"],
    ["settle", undefined, "refusal"],
  ]);
  expect(choices.every(({ says }) => says.length > 20)).toBe(true);
  // the safe one is first, every other one names what it costs to be wrong
  expect(choices.map(({ risks }) => risks === undefined)).toEqual([true, false, false, false, false]);
  expect(choices[2]?.risks).toContain("nobody has decided what that costs");
  expect(choices[4]?.refusals).toEqual(["sold-out", "declined"]);
});

test("an answer that a person knows is taken by the next attempt, and the effect is not called again", async () => {
  const { administration, book, gateway, id } = await parkedBooking();
  const shown = await administration.answer(id, "charge", { value: { id: "ch_9" } }, note);
  expect(shown.run.state).toBe("open");
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false, value: { charge: "ch_9" } });
  expect(gateway.calls).toHaveLength(1);
  const after = await administration.show(id);
  expect(after.attempts.find(({ what }) => what === "answered")).toMatchObject({ owner: "ann", why: note.why });
});

test("an effect that never happened, as a person says, is called once more", async () => {
  const { administration, book, gateway, id } = await parkedBooking();
  await administration.answer(id, "charge", "never-happened", note);
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  expect(gateway.calls).toHaveLength(2);
});

test("settled work tells its outcome to everybody who asks, and nothing is run", async () => {
  const { administration, book, gateway, id } = await parkedBooking();
  const shown = await administration.settle(id, { value: { charge: "ch_9", seat: 7 } }, note);
  expect([shown.run.state, shown.choices]).toEqual(["done", []]);
  expect(await book.execute(alice)).toMatchObject({
    status: "done",
    replayed: true,
    value: { charge: "ch_9", seat: 7 },
  });
  expect(gateway.calls).toHaveLength(1);
});

test("work is settled with a declared refusal, and with no other", async () => {
  const { administration, book, id } = await parkedBooking();
  await expect(administration.settle(id, { refusal: "no-such" }, note)).rejects.toMatchObject({
    code: "REPRISE_BAD_DECLARATION",
  });
  await administration.settle(id, { refusal: "sold-out" }, note);
  expect(await book.execute(alice)).toMatchObject({ status: "refused", code: "sold-out", replayed: true });
});

test("looking and deciding begin no background work: nothing is resumed, parked or swept by it", async () => {
  const sharing = createBookings();
  const { gateway, clock } = sharing;
  // a clock of its own that stands still: its completer never comes to it
  const first = createBookings({ ifUnknown: "park", resumes: "by-itself", sharing, clock: manualClock() });
  gateway.next = [lost];
  expect(await first.book.execute(alice)).toMatchObject({ status: "unknown" });
  const { reprise } = createBookings({ ifUnknown: "park", resumes: "by-itself", sharing });
  const administration = administer(reprise);
  const [run] = await administration.list({ state: "unknown" });
  await administration.answer(String(run?.id), "charge", "never-happened", note);
  await clock.advance(120_000);
  expect((await administration.show(String(run?.id))).run.state).toBe("open");
  await expect(reprise.start({ clock })).rejects.toMatchObject({ code: "REPRISE_STARTED" });
  // an instance that is used goes on with it
  await reprise.start();
  await clock.advance(120_000);
  expect((await administration.show(String(run?.id))).run.state).toBe("done");
  await reprise.close();
  await expect(administration.list()).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
});

test("a rerun of work whose answer is still missing parks it again instead of calling blindly", async () => {
  const { administration, book, gateway, id } = await parkedBooking();
  await administration.rerun(id, note);
  expect(await book.execute(alice)).toMatchObject({ status: "unknown", effect: "charge" });
  expect(gateway.calls).toHaveLength(1);
});

test("reopened work that keeps its input goes on by itself", async () => {
  const { book, gateway, clock, reprise } = createBookings({ ifUnknown: "park", resumes: "by-itself" });
  gateway.next = [lost];
  expect(await book.execute(alice)).toMatchObject({ status: "unknown" });
  const administration = administer(reprise);
  const [run] = await administration.list({ state: "unknown" });
  await administration.answer(String(run?.id), "charge", "never-happened", note);
  await clock.advance(120_000);
  expect((await administration.show(String(run?.id))).run.state).toBe("done");
  expect(gateway.calls).toHaveLength(2);
});

test("released work is taken at once, and its owner, alive after all, is told what another completed", async () => {
  const { book, gateway, reprise } = createBookings({ ifUnknown: "retry" });
  const slow = gate();
  gateway.next = [
    async (key) => {
      await slow.passed;
      gateway.charges.set(key, { id: "ch_1" });
      return { id: "ch_1" };
    },
  ];
  const first = book.execute(alice);
  await expect.poll(() => gateway.calls.length).toBe(1);
  const administration = administer(reprise);
  const [run] = await administration.list({ state: "running" });
  const shown = await administration.release(String(run?.id), note);
  expect(shown.run.state).toBe("open");
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  slow.open();
  // it is told what is stored
  expect(await first).toMatchObject({ status: "done", replayed: true });
  expect(gateway.charges.size).toBe(1);
});

test("a decision needs a name and a reason, work that is there, and the state it is for; else nothing is changed", async () => {
  const { administration, id } = await parkedBooking();
  await expect(administration.rerun(id, { who: " ", why: "x" })).rejects.toMatchObject({
    code: "REPRISE_NOTE_MISSING",
  });
  await expect(administration.rerun(id, { who: "ann", why: "" })).rejects.toMatchObject({
    code: "REPRISE_NOTE_MISSING",
    status: 400,
  });
  for (const why of ["two\nlines", "x".repeat(1_001)]) {
    await expect(administration.rerun(id, { who: "ann", why })).rejects.toMatchObject({ code: "REPRISE_NOTE_MISSING" });
  }
  await expect(administration.rerun("0f".repeat(16) as WorkId, note)).rejects.toMatchObject({
    code: "REPRISE_NO_SUCH_WORK",
    status: 404,
  });
  await expect(administration.release(id, note)).rejects.toMatchObject({
    code: "REPRISE_ILLEGAL_TRANSITION",
    status: 409,
    details: { does: "release", state: "unknown" },
  });
  expect((await administration.show(id)).attempts.map(({ what }) => what)).toEqual(["parked"]);
});
