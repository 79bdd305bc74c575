import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Execute, Order } from "./declared.ts";
import { placeKinds } from "./places.ts";
import { openStand, type ProxiedWorker, type Stand } from "./stand.ts";
import type { Halt } from "./worker.ts";
import { buildWorkers, type Execution, type Worker, type Workers } from "./workers.ts";

/**
 * The crash tables: a process is killed (SIGKILL) at each of their rows, on each ledger, and another one is asked for the
 * same work. What the dead one left decides; nobody knows how it died.
 */

const pastLeaseMs = 31_000;
/** Past the instant until which a call that was started may still arrive. */
const pastSettlingMs = 90_000;

interface Row {
  readonly name: string;
  /** Kills the process that executes it. */
  readonly kill: (victim: ProxiedWorker, execute: Execute, id: string, stand: Stand) => Promise<void>;
  /** Calls of the other side, by what the effect says of a lost answer; left out: the answer is not lost. */
  readonly calls?: { readonly [P in Order["ifUnknown"]]: number };
  /** Whether it ended before the process died. */
  readonly ended?: boolean;
}

const dies =
  (at: Halt["at"], when: Halt["when"]): Row["kill"] =>
  async (victim, execute) => {
    const { told } = victim.execute(execute, { at, when, does: "die" });
    expect(await Promise.race([victim.ended, told])).toBe("SIGKILL");
  };

/** Killed by another process, while the other side has the call and has not answered. */
const diesUnanswered: Row["kill"] = async (victim, execute, id, { gateway }) => {
  const { arrived, release } = gateway.hold(id);
  victim.execute(execute);
  await arrived;
  victim.signal("SIGKILL");
  expect(await victim.ended).toBe("SIGKILL");
  release();
};

/** Killed while the last piece of what it sent is on its way, or the answer to it is. */
const diesInDoubt =
  (
    what: { readonly at: "body" | "complete"; readonly lost: "the request" | "the answer" },
    isThere: (stand: Stand, id: string) => Promise<boolean>,
  ): Row["kill"] =>
  async (victim, execute, id, stand) => {
    const { network } = stand.place;
    const { proxy } = victim;
    if (network === null || proxy === null) throw new Error("there is no network");
    const execution: Execution = victim.execute(execute, { at: what.at, when: "before", does: "wait" });
    await execution.halted;
    const isIt = what.at === "body" ? network.isCommit : network.isCompletion;
    const sent = new Promise<void>((resolve) => {
      proxy.fateOf = (request) => {
        if (!isIt(request)) return "pass";
        resolve();
        return what.lost === "the request" ? "hold the request" : "hold the answer";
      };
    });
    try {
      execution.go();
      await sent;
      if (what.lost === "the answer") await expect.poll(() => isThere(stand, id), { timeout: 20_000 }).toBe(true);
    } finally {
      victim.signal("SIGKILL");
    }
    expect(await victim.ended).toBe("SIGKILL");
    expect(await isThere(stand, id)).toBe(what.lost === "the answer");
  };

const policies = ["retry", "ask", "park"] as const;
const onlyRetry = ["retry"] as const;

const isBooked = async ({ place }: Stand, id: string) => (await place.bookings()).includes(id);
const isDone = async ({ records }: Stand, id: string) => (await records(id))[0]?.state === "done";

const externalRows: readonly Row[] = [
  { name: "after the claim", kill: dies("claim", "after") },
  { name: "after the start of its effect", kill: dies("start", "after"), calls: { retry: 1, ask: 1, park: 0 } },
  { name: "after sending", kill: diesUnanswered, calls: { retry: 2, ask: 1, park: 1 } },
  { name: "after the answer", kill: dies("pin", "before"), calls: { retry: 2, ask: 1, park: 1 } },
  { name: "after the pin", kill: dies("pin", "after") },
];
const completionRows = (networked: boolean): readonly Row[] => [
  { name: "before its completion", kill: dies("complete", "before") },
  ...(networked
    ? [
        { name: "its completion lost on the way", kill: diesInDoubt({ at: "complete", lost: "the request" }, isDone) },
        {
          name: "its completion stored, the answer lost",
          kill: diesInDoubt({ at: "complete", lost: "the answer" }, isDone),
          ended: true,
        },
      ]
    : [{ name: "after its completion", kill: dies("complete", "after"), ended: true }]),
];
const transactionRows = (networked: boolean, after: "transact" | "atomic"): readonly Row[] => {
  const ended = after === "atomic";
  return [
    { name: "in its transaction, before COMMIT", kill: dies("body", "before") },
    ...(networked
      ? [
          { name: "its COMMIT lost on the way", kill: diesInDoubt({ at: "body", lost: "the request" }, isBooked) },
          {
            name: "its COMMIT done, the answer lost",
            kill: diesInDoubt({ at: "body", lost: "the answer" }, isBooked),
            ended,
          },
        ]
      : [{ name: "after its COMMIT", kill: dies(after, "after"), ended }]),
  ];
};

let workers: Workers;
beforeAll(async () => {
  workers = await buildWorkers();
});
afterAll(() => workers.remove());

describe.each(placeKinds.map((kind) => [kind.name, kind] as const))("killed on %s", (_, kind) => {
  let stand: Stand;
  let survivor: Worker;
  /** Started ahead, while the case before it is looked at. */
  let next: Promise<ProxiedWorker>;
  const startNext = () => {
    next = stand.startProxied();
    next.catch(() => undefined);
  };
  const takeVictim = async () => {
    const victim = await next;
    startNext();
    victim.shift(stand.place.shiftMs());
    return victim;
  };
  beforeAll(async () => {
    if (kind.missing !== undefined) return;
    stand = await openStand(kind, workers);
    startNext();
    survivor = await stand.start();
  });
  beforeEach((context) => {
    if (kind.missing !== undefined) context.skip(kind.missing);
  });
  afterAll(async () => {
    await next?.catch(() => undefined);
    await stand?.close();
  });

  /** One record, the one answer told to everybody who asks, in whichever process. */
  const holds = async (execute: Execute, id: string, value: unknown) => {
    const again = [await survivor.execute(execute).told, await stand.ask(execute)];
    for (const told of again) expect(told).toEqual({ status: "done", replayed: true, value });
    expect((await stand.records(id)).map(({ state }) => state)).toEqual(["done"]);
    const booked = (await stand.place.bookings()).filter((one) => one === id);
    expect(booked).toHaveLength(kind.transactional ? 1 : 0);
  };

  const orders = [
    ...externalRows,
    ...(kind.transactional ? transactionRows(kind.networked, "transact") : []),
    ...completionRows(kind.networked),
  ].flatMap((row) => {
    // a cluster stores what a single server stores
    const told = row.calls === undefined || kind.name === "a Redis cluster" ? onlyRetry : policies;
    return told.map((ifUnknown) => ({ ...row, ifUnknown, isParked: ifUnknown === "park" && row.calls !== undefined }));
  });
  const says = (row: (typeof orders)[number]) =>
    `${row.name}${row.calls === undefined ? "" : ` (${row.ifUnknown})`}: ${
      row.isParked ? "nothing is done again, a person is told" : "one charge, one record, one answer"
    }`;
  test.each(orders.map((row) => [says(row), row] as const))("an order, %s", async (id, row) => {
    const { ifUnknown, calls = { retry: 1, ask: 1, park: 1 } } = row;
    const { gateway, untilKnown } = stand;
    const execute = { order: { id, ifUnknown } };
    const again = () => survivor.execute(execute).told;
    await row.kill(await takeVictim(), execute, id, stand);

    const first = await again();
    if (row.ended !== true) {
      expect(first).toEqual({ status: "running" });
      await stand.passTime(pastLeaseMs, survivor);
      if (ifUnknown === "ask" && gateway.calls(id) === 0) {
        // "never happened" is not believed as long as the call may still arrive
        expect(await again()).toEqual({ status: "running" });
        expect(gateway.calls(id)).toBe(0);
        await stand.passTime(pastSettlingMs, survivor);
      }
    }
    const told = row.ended === true ? first : await untilKnown(again);
    if (row.isParked) {
      expect(told).toEqual({ status: "unknown" });
      expect([await again(), await stand.ask(execute)]).toEqual([{ status: "unknown" }, { status: "unknown" }]);
      expect((await stand.records(id)).map(({ state }) => state)).toEqual(["unknown"]);
      expect(await stand.place.bookings()).not.toContain(id);
    } else {
      const value = { charge: expect.stringMatching(/^charge \d+$/) };
      expect(told).toEqual({ status: "done", replayed: row.ended === true, value });
      await holds(execute, id, told.status === "done" && told.value);
    }
    expect(gateway.calls(id)).toBe(calls[ifUnknown]);
    expect(gateway.charges(id)).toBe(Math.min(1, calls[ifUnknown]));
  });

  const notes = kind.transactional ? transactionRows(kind.networked, "atomic") : [];
  test.each(notes.map((row) => [row.name, row] as const))(
    "a note, %s: one row, one record, one answer",
    async (id, { kill, ended = false }) => {
      const execute = { note: { id } };
      await kill(await takeVictim(), execute, id, stand);
      // it may be told running while the server does not know yet that the process is gone
      const told = await stand.untilKnown(() => survivor.execute(execute).told);
      expect(told).toEqual({ status: "done", replayed: ended, value: { noted: id } });
      await holds(execute, id, { noted: id });
    },
  );
});
