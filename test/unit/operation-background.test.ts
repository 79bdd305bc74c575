import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { createReprise, isRepriseError, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, type ManualClock, manualClock } from "../../src/testing/index.ts";
import { gate, lost } from "../support/bookings.ts";

interface Export {
  readonly user: string;
  readonly month: string;
}
const january: Export = { user: "ann", month: "2026-01" };

/** Exports that are written in the background. Several instances may share a clock and a ledger. */
function createExports(
  sharing: {
    readonly clock?: ManualClock;
    readonly store?: ReturnType<typeof memoryLedger>;
    readonly workers?: number;
  } = {},
  dispatch: "background" | ((accepted: { readonly id: string }) => Promise<void>) = "background",
) {
  const clock = sharing.clock ?? manualClock();
  const store = sharing.store ?? memoryLedger({ clock });
  const faulty = faultyLedger(store);
  const { workers } = sharing;
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: faulty.ledger, clock, workers });
  const at = {
    start: async (_signal: AbortSignal): Promise<void> => {},
    uploading: async (_progress: (done: number, total?: number) => void): Promise<void> => {},
  };
  const runs: Export[] = [];
  const uploads: string[] = [];
  const exported = reprise.operation({
    name: "bookings.export",
    input: unchecked<Export>(),
    principal: (input) => input.user,
    identity: (input) => [input.month],
    retention: "7d",
    effects: "external",
    dispatch,
    refusals: { empty: { status: 404, because: "Nothing was booked." } },
    run: async ({ input, effect, progress, refuse, signal }) => {
      runs.push(input);
      await at.start(signal);
      await at.uploading(progress);
      if (input.month === "1999-01") throw refuse("empty");
      const url = await effect("upload", {
        ifUnknown: "retry",
        run: async (key) => {
          uploads.push(key);
          return `/files/${uploads.length}`;
        },
      });
      return { url };
    },
  });
  return { clock, store, faulty, reprise, exported, at, runs, uploads };
}

async function acceptedId(answer: Promise<{ readonly status: string }>): Promise<string> {
  const outcome = await answer;
  expect(outcome).toMatchObject({ status: "accepted" });
  return (outcome as { readonly status: string; readonly id: string }).id;
}

test("background work is accepted at once, run by a worker, and its outcome told to whoever asks", async () => {
  const { exported, clock, uploads } = createExports();
  const id = await acceptedId(exported.execute(january));
  expect(await exported.status(id)).toMatchObject({ state: "waiting", progress: null });
  expect(await exported.execute(january)).toMatchObject({ status: "accepted", id, replayed: true });
  await clock.advance(0);
  expect(await exported.status(id)).toMatchObject({
    state: "ended",
    outcome: { status: "done", value: { url: "/files/1" } },
  });
  expect(await exported.execute(january)).toMatchObject({ status: "done", value: { url: "/files/1" }, replayed: true });
  expect(uploads).toHaveLength(1);
});

test("whoever waits is told the outcome instead", async () => {
  const { exported, clock } = createExports();
  const waiting = exported.execute(january, { wait: "5s" });
  await clock.advance(100);
  expect(await waiting).toMatchObject({ status: "done", value: { url: "/files/1" } });
});

test("another instance runs what one with no workers accepted, a crash included", async () => {
  const web = createExports({ workers: 0 });
  const id = await acceptedId(web.exported.execute(january));
  await web.clock.advance(600_000);
  expect(web.runs).toHaveLength(0);
  const first = createExports(web);
  first.at.start = () => new Promise(() => {});
  for (let call = 1; call <= 200; call += 1) {
    first.faulty.fail("renew", { call });
    first.faulty.fail("abandoned", { call: call + 1 });
  }
  await first.reprise.start();
  await web.clock.advance(3_000);
  expect(first.runs).toHaveLength(1);
  expect(await web.exported.status(id)).toMatchObject({ state: "running" });
  const second = createExports(web);
  await second.reprise.start();
  await web.clock.advance(40_000);
  expect(await web.exported.status(id)).toMatchObject({ state: "ended" });
  expect(second.uploads).toHaveLength(1);
});

test("a worker takes as many as it may at once, and the next as soon as one has ended", async () => {
  const { exported, clock, runs, at, reprise } = createExports({ workers: 2 });
  const opened = gate();
  at.start = () => opened.passed;
  const ids: string[] = [];
  for (const month of ["1", "2", "3", "4", "5"]) ids.push(await acceptedId(exported.execute({ ...january, month })));
  await clock.advance(10_000);
  expect(runs.map(({ month }) => month)).toEqual(["1", "2"]);
  opened.open();
  await clock.advance(50);
  const states = await Promise.all(ids.map((id) => exported.status(id)));
  expect(states.map((status) => status?.state)).toEqual(ids.map(() => "ended"));
  await reprise.close();
});

test("progress is told while the work runs, and written once a second at most", async () => {
  const { exported, clock, at, faulty, reprise } = createExports();
  const opened = gate();
  at.uploading = async (progress) => {
    for (let done = 1; done <= 100; done += 1) progress(done, 100);
    await opened.passed;
  };
  const id = await acceptedId(exported.execute(january));
  await clock.advance(900);
  expect(faulty.calls("renew")).toBe(0);
  await clock.advance(200);
  expect(await exported.status(id)).toMatchObject({ state: "running", progress: { done: 100, total: 100 } });
  await clock.advance(5_000);
  expect(faulty.calls("renew")).toBe(1);
  opened.open();
  await clock.advance(0);
  expect(await exported.status(id)).toMatchObject({ state: "ended" });
  await reprise.close();
});

test("an id tells nobody but its principal how the work stands, and only its own operation", async () => {
  const { exported, reprise } = createExports();
  const id = await acceptedId(exported.execute(january));
  expect(await exported.status(id, { principal: "ann" })).toMatchObject({ state: "waiting" });
  expect(await exported.status(id, { principal: "bob" })).toBeUndefined();
  expect(await exported.cancel(id, { principal: "bob" })).toBe(false);
  expect(await exported.status("not an id")).toBeUndefined();
  expect(await exported.status("0".repeat(32))).toBeUndefined();
  const other = reprise.operation({
    name: "other",
    input: unchecked<Export>(),
    principal: "everyone",
    identity: (input) => [input.month],
    retention: "1d",
    effects: "external",
    dispatch: "background",
    run: async () => 1,
  });
  expect(await other.status(id)).toBeUndefined();
  const shared = await acceptedId(other.execute(january));
  expect(await other.status(shared, { principal: "bob" })).toMatchObject({ state: "waiting" });
});

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

test("background work accepted in a caller's transaction runs after its commit, and never after its rollback", async () => {
  const { exported, clock, store, reprise, runs } = createExports();
  await reprise.start();
  let id = "";
  await store.transaction(async (tx) => {
    const accepted = await exported.executeIn(tx, january);
    expect(accepted).toMatchObject({ status: "accepted", provisional: true });
    if (accepted.status === "accepted") id = accepted.id;
    await clock.advance(5_000);
    expect(runs).toEqual([]);
  });
  await expect(
    store.transaction(async (tx) => {
      await exported.executeIn(tx, { ...january, month: "never" });
      throw new Error("rolled back");
    }),
  ).rejects.toThrow("rolled back");
  await clock.advance(3_000);
  expect(runs).toEqual([january]);
  expect(await exported.status(id)).toMatchObject({ state: "ended" });
});

test("a broker is told each acceptance once, brings it, and what it does not bring the instances run after a lease", async () => {
  const told: string[] = [];
  const { exported, clock, reprise, runs } = createExports({}, async ({ id }) => {
    told.push(id);
    if (told.length === 2) throw new Error("the broker is away");
  });
  await reprise.start();
  const id = await acceptedId(exported.execute(january));
  await exported.execute(january);
  expect(told).toEqual([id]);
  await clock.advance(10_000);
  expect(runs).toEqual([]);
  expect(await exported.resume(id)).toMatchObject({ status: "done", value: { url: "/files/1" } });
  expect(await exported.resume(id)).toBeUndefined();
  expect(await exported.resume("no id")).toBeUndefined();
  const second = await acceptedId(exported.execute({ ...january, month: "2026-02" }));
  await clock.advance(40_000);
  expect(await exported.status(second)).toMatchObject({ state: "ended" });
});

test("an acceptance whose answer is lost is asked for again under the same id, and announced", async () => {
  const told: string[] = [];
  const { exported, clock, faulty } = createExports({}, async ({ id }) => void told.push(id));
  faulty.lose("accept");
  const answer = exported.execute(january);
  await clock.advance(100);
  expect(told).toEqual([await acceptedId(answer)]);
});

test("the caller's key may be the identity of background work: it is kept for the worker", async () => {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
  const keys: string[] = [];
  const mail = reprise.operation({
    name: "mail",
    input: unchecked<{ readonly to: string }>(),
    principal: (input) => input.to,
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    dispatch: "background",
    run: ({ effect }) =>
      effect("send", {
        ifUnknown: "retry",
        run: async (key) => {
          keys.push(key);
          return 1;
        },
      }),
  });
  const first = await acceptedId(mail.execute({ to: "ann" }, { key: "k1" }));
  const second = await acceptedId(mail.execute({ to: "ann" }, { key: "k2" }));
  await clock.advance(0);
  expect(await Promise.all([mail.status(first), mail.status(second)])).toMatchObject([
    { state: "ended" },
    { state: "ended" },
  ]);
  expect(new Set(keys).size).toBe(2);
});

test("a worker runs in nobody's async context, whoever accepted", async () => {
  const requests = new AsyncLocalStorage<string>();
  const { exported, clock, at, reprise } = createExports();
  await reprise.start();
  const seen: unknown[] = [];
  at.start = async () => void seen.push(requests.getStore());
  await requests.run("ann", () => exported.execute(january));
  await clock.advance(0);
  expect(seen).toEqual([undefined]);
});

test("background work that fails again and again is parked with its last error", async () => {
  const { exported, clock, at } = createExports();
  at.start = lost;
  const id = await acceptedId(exported.execute(january));
  await clock.advance(3_600_000);
  expect(await exported.status(id)).toMatchObject({ state: "unknown", effect: "(run)" });
  expect(await exported.execute(january)).toMatchObject({ status: "unknown" });
});

test("run() of background work says that it runs, and what a bad progress is", async () => {
  const { exported, reprise, clock } = createExports();
  await expect(exported.run(january)).rejects.toMatchObject({ code: "REPRISE_RUNNING" });
  const counting = reprise.operation({
    name: "counting",
    input: unchecked<string>(),
    principal: "everyone",
    identity: (input) => [input],
    retention: "1d",
    effects: "external",
    run: async ({ progress }) => progress(Number.NaN),
  });
  await expect(counting.run("a")).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  await clock.advance(0);
});

test("a background run that closing cut short is gone on with by another instance", async () => {
  const { exported, clock, at, reprise, store, faulty } = createExports();
  at.start = (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const id = await acceptedId(exported.execute(january));
  await clock.advance(0);
  faulty.fail("close");
  const closed = reprise.close();
  await clock.advance(20_000);
  await closed;
  const other = createExports({ clock, store });
  await other.reprise.start();
  await clock.advance(10_000);
  expect(await other.exported.status(id)).toMatchObject({ state: "ended" });
});
