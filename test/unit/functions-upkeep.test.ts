import { describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger } from "../../src/testing/index.ts";
import { lambda } from "../../src/transports/functions/aws.ts";
import { azureFunction } from "../../src/transports/functions/azure.ts";
import { gate } from "./functions-stand.ts";

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

  test("says that the ledger is away", async () => {
    const { faulty, reprise } = accepting();
    faulty.fail("sweep");
    await expect(azureFunction.upkeep(reprise, { endsWithin: "5m" })()).rejects.toMatchObject({
      code: "REPRISE_LEDGER_AWAY",
    });
  });
});
