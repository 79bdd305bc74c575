import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { gate, lost } from "../support/bookings.ts";
import { acceptedId, createExports, type Export, january } from "./operation-background-stand.ts";

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

test("work that is accepted without a pause puts no worker off", async () => {
  const clock = manualClock();
  const begun: { readonly isOff: () => boolean }[] = [];
  const counting = {
    ...clock,
    timer: (ms: number, work: () => void, holding?: "holding") => {
      const cancel = clock.timer(ms, work);
      if (ms > 0 || holding !== undefined) return cancel;
      let isOff = false;
      begun.push({ isOff: () => isOff });
      return () => {
        isOff = true;
        cancel();
      };
    },
  };
  const { exported, runs, reprise } = createExports({ clock: counting });
  await reprise.start();
  for (const month of ["1", "2", "3"]) await exported.execute({ ...january, month });
  expect(begun.map(({ isOff }) => isOff())).toEqual([false]);
  await clock.advance(0);
  expect(runs).toHaveLength(3);
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

test("a broker that does not answer, or is told by a function that throws, keeps nobody waiting who has been accepted", async () => {
  const brokers: (() => Promise<void>)[] = [
    () => new Promise(() => {}),
    () => {
      throw new Error("no connection");
    },
  ];
  for (const broker of brokers) {
    const { exported, clock } = createExports({}, broker);
    const answer = exported.execute(january);
    await clock.advance(5_000);
    const id = await acceptedId(answer);
    await clock.advance(35_000);
    expect(await exported.status(id)).toMatchObject({ state: "ended" });
  }
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
