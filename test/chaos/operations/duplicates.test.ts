import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Execute } from "./declared.ts";
import { placeKinds } from "./places.ts";
import { openStand, type Stand } from "./stand.ts";
import { buildWorkers, type Execution, type Worker, type Workers } from "./workers.ts";

/** Twenty requests for one piece of work at once, ten in each of two processes. */

const ten = (worker: Worker, execute: Execute, halts: boolean): readonly Execution[] =>
  Array.from({ length: 10 }, () =>
    worker.execute(execute, halts ? { at: "body", when: "before", does: "wait" } : undefined),
  );

/** Resolves when so many of them are told. */
function told(executions: readonly Execution[], count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    for (const execution of executions) {
      void execution.told.then(() => {
        left -= 1;
        if (left === 0) resolve();
      });
    }
  });
}

let programs: Workers;
beforeAll(async () => {
  programs = await buildWorkers();
});
afterAll(() => programs.remove());

describe.each(placeKinds.map((kind) => [kind.name, kind] as const))(
  "twenty duplicates at two instances on %s",
  (_, kind) => {
    let stand: Stand;
    let workers: readonly Worker[];
    beforeAll(async () => {
      if (kind.missing !== undefined) return;
      stand = await openStand(kind, programs);
      workers = await Promise.all([stand.start(), stand.start()]);
    });
    beforeEach((context) => {
      if (kind.missing !== undefined) context.skip(kind.missing);
    });
    afterAll(() => stand?.close());

    /** All of them, asked once more, are told the one answer. */
    const holds = async (execute: Execute, id: string) => {
      const askers = workers.flatMap((worker) => Array.from({ length: 10 }, () => () => worker.execute(execute).told));
      const answers = await Promise.all(askers.map((ask) => stand.untilKnown(ask)));
      const [first] = answers;
      expect(first).toMatchObject({ status: "done", replayed: true });
      for (const answer of answers) expect(answer).toEqual(first);
      expect(await stand.records(id)).toMatchObject([{ state: "done", token: 1 }]);
      const booked = (await stand.place.bookings()).filter((one) => one === id);
      expect(booked).toHaveLength(kind.transactional ? 1 : 0);
    };

    test("an order is executed once, and nineteen are told that it runs while it does", async () => {
      const { gateway } = stand;
      const id = "order";
      const execute = { order: { id, ifUnknown: "retry" as const } };
      const { arrived, release } = gateway.hold(id);
      const executions = workers.flatMap((worker) => ten(worker, execute, false));
      await Promise.all([arrived, told(executions, 19)]);
      release();
      const answers = await Promise.all(executions.map((execution) => execution.told));
      expect(answers.filter(({ status }) => status === "running")).toHaveLength(19);
      expect(answers.filter((answer) => answer.status === "done" && !answer.replayed)).toHaveLength(1);
      expect(gateway.calls(id)).toBe(1);
      await holds(execute, id);
    });

    if (!kind.transactional) return;
    test("a note is written once, and nineteen are told so", async () => {
      const id = "note";
      const execute = { note: { id } };
      const executions = workers.flatMap((worker) => ten(worker, execute, true));
      await Promise.race(executions.map((execution) => execution.halted));
      // in SQLite the other process waits for the file, and is told when it is done
      await told(executions, kind.networked ? 19 : 9);
      for (const execution of executions) execution.go();
      const answers = await Promise.all(executions.map((execution) => execution.told));
      const ran = answers.filter((answer) => answer.status === "done" && !answer.replayed);
      expect(ran).toHaveLength(1);
      for (const answer of answers) {
        if (answer.status === "done") expect(answer).toMatchObject({ value: { noted: id } });
        else expect(answer).toEqual({ status: "running" });
      }
      await holds(execute, id);
    });
  },
);
