import { describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger } from "../../src/testing/index.ts";
import { lambda } from "../../src/transports/functions/aws.ts";
import { azureFunction } from "../../src/transports/functions/azure.ts";
import { gate } from "./functions-stand.ts";
import { broker, stand as outboxStand, publish, released, seatReleased } from "./outbox-stand.ts";

function accepting() {
  const faulty = faultyLedger(memoryLedger());
  const reprise = createReprise({
    service: "shop",
    undecided: "listed",
    ledger: faulty.ledger,
    background: "elsewhere",
  });
  const runs: string[] = [];
  let run = async (_: string): Promise<unknown> => 1;
  const render = reprise.operation({
    name: "badge.render",
    input: unchecked<string>(),
    principal: "everyone",
    identity: (input) => [input],
    retention: "1d",
    effects: "external",
    dispatch: "background",
    run: ({ input }) => {
      runs.push(input);
      return run(input);
    },
  });
  return {
    faulty,
    reprise,
    render,
    runs,
    running: (next: typeof run) => {
      run = next;
    },
  };
}

describe("a function of upkeep", () => {
  test("runs all that was accepted, sweeps, and has ended when it returns", async () => {
    const { faulty, reprise, render, runs } = accepting();
    const names = Array.from({ length: 20 }, (_, place) => `badge ${place}`);
    for (const name of names) expect(await render.execute(name)).toMatchObject({ status: "accepted" });
    await azureFunction.upkeep(reprise, { endsWithin: "5m" })();
    expect(runs.sort()).toEqual(names.sort());
    expect(await render.find(names[0] ?? "")).toMatchObject({ status: "done" });
    expect(faulty.calls("sweep")).toBe(1);
  });

  test("tries what fails once, and leaves it to the next call", async () => {
    const { reprise, render, runs, running } = accepting();
    running(() => Promise.reject(new Error("gateway away")));
    await render.execute("a");
    await lambda.upkeep(reprise)({}, { getRemainingTimeInMillis: () => 60_000 });
    expect(runs).toEqual(["a"]);
  });

  test("asks no ledger again and again that does not take a claim", async () => {
    const { faulty, reprise, render, runs } = accepting();
    await render.execute("a");
    faulty.fail("claim", { error: new Error("refused") });
    await lambda.upkeep(reprise)({}, { getRemainingTimeInMillis: () => 60_000 });
    expect(runs).toEqual([]);
  });

  test("returns in time although a run goes on", async () => {
    const { reprise, render, running } = accepting();
    const { opened, open } = gate();
    running(() => opened);
    await render.execute("a");
    await lambda.upkeep(reprise)({}, { getRemainingTimeInMillis: () => 1_700 });
    open();
  });

  test("sends what was published, also by what it runs, and keeps no lease", async () => {
    const { ledger, instance } = outboxStand();
    const { to, ids, isOpen } = broker();
    const reprise = instance("function", "elsewhere");
    const outbox = reprise.outbox({ ...seatReleased, to });
    const release = reprise.operation({
      name: "seat.release",
      input: unchecked<string>(),
      ...{ principal: "everyone", retention: "1d", effects: "external", dispatch: "background" },
      identity: (input) => [input],
      run: ({ input }) => publish(ledger, outbox, released(input)),
    });
    await release.execute("r-2");
    await publish(ledger, outbox, released("r-1"));
    for (let call = 0; call < 2; call += 1) {
      await lambda.upkeep(reprise)({}, { getRemainingTimeInMillis: () => 60_000 });
      expect(ids()).toEqual(["r-1", "r-2"]);
    }
    await publish(ledger, outbox, released("r-3"));
    await azureFunction.upkeep(reprise, { endsWithin: "5m" })();
    expect(ids()).toEqual(["r-1", "r-2", "r-3"]);
    expect([isOpen(), outbox.counts()]).toEqual([false, { published: 3, relayed: 3, failed: 0 }]);
    await reprise.close();
  });

  test("returns in time although a broker does not answer, and the next call sends the same", async () => {
    const { ledger, instance } = outboxStand();
    const { to, ids, batches, beforeSending } = broker();
    const reprise = instance("function", "elsewhere");
    const outbox = reprise.outbox({ ...seatReleased, to });
    await publish(ledger, outbox, released("r-1"));
    const { opened, open } = gate();
    beforeSending(() => opened);
    await lambda.upkeep(reprise)({}, { getRemainingTimeInMillis: () => 1_300 });
    expect([batches, ids()]).toEqual([[["r-1"]], []]);
    open();
    await lambda.upkeep(reprise)({}, { getRemainingTimeInMillis: () => 60_000 });
    expect(ids()).toContain("r-1");
    await reprise.close();
  });

  test("says that the ledger is away", async () => {
    const { faulty, reprise } = accepting();
    faulty.fail("sweep");
    await expect(azureFunction.upkeep(reprise, { endsWithin: "5m" })()).rejects.toMatchObject({
      code: "REPRISE_LEDGER_AWAY",
    });
  });
});
