import { describe, expect, test } from "vitest";
import { createTurns } from "../../src/stores/turns.ts";
import { manualClock } from "../../src/testing/index.ts";

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

function setting() {
  const clock = manualClock();
  const create = (place: unknown = "here") => createTurns({ ledger: "test", place, clock, waitMs: 1_000 });
  return { clock, create, turns: create() };
}

describe("turns", () => {
  test("come one at a time, in the order of asking, whatever a turn ends with", async () => {
    const { turns } = setting();
    const seen: string[] = [];
    const { open, opened } = gate();
    const first = turns.take(async () => {
      seen.push("first in");
      await opened;
      seen.push("first out");
      throw new Error("first");
    });
    const others = ["second", "third"].map((name) => turns.take(async () => seen.push(name)));
    open();
    await expect(first).rejects.toThrow("first");
    await Promise.all(others);
    expect(seen).toEqual(["first in", "first out", "second", "third"]);
  });

  test("waiting has a deadline, and who gave up is not given a turn", async () => {
    const { clock, turns } = setting();
    const { open, opened } = gate();
    const first = turns.take(() => opened);
    let ran = false;
    const second = turns.take(async () => {
      ran = true;
    });
    const refused = expect(second).rejects.toMatchObject({ code: "REPRISE_LEDGER_BUSY", details: { afterMs: 1_000 } });
    await clock.advance(1_000);
    await refused;
    open();
    await first;
    expect(await turns.take(async () => "third")).toBe("third");
    expect([ran, clock.pending()]).toEqual([false, 0]);
  });

  test("waiting for one's own turn is refused at once, through other places too", async () => {
    const { create, turns } = setting();
    const elsewhere = create("elsewhere");
    const nested = turns.take(() =>
      turns.within(() => elsewhere.take(() => elsewhere.within(() => turns.take(async () => "never")))),
    );
    await expect(nested).rejects.toMatchObject({ code: "REPRISE_LEDGER_SELF_WAIT" });
    expect(await turns.take(async () => "free again")).toBe("free again");
  });

  test("two users of one place notice each other", async () => {
    const { create, turns } = setting();
    const same = create("here");
    const nested = turns.take(() => turns.within(() => same.take(async () => "never")));
    await expect(nested).rejects.toMatchObject({ code: "REPRISE_LEDGER_SELF_WAIT" });
  });

  test("what a turn leaves running may wait once the turn is over", async () => {
    const { turns } = setting();
    const { open, opened } = gate();
    let left: Promise<string> | undefined;
    await turns.take(() =>
      turns.within(async () => {
        left = opened.then(() => turns.take(async () => "later"));
      }),
    );
    open();
    expect(await left).toBe("later");
  });

  test("idle waits for those who work and those who wait", async () => {
    const { turns } = setting();
    await turns.idle();
    const { open, opened } = gate();
    const seen: string[] = [];
    const first = turns.take(() => opened);
    const second = turns.take(async () => seen.push("second"));
    const idle = turns.idle().then(() => seen.push("idle"));
    open();
    await Promise.all([first, second, idle]);
    expect(seen).toEqual(["second", "idle"]);
  });
});
