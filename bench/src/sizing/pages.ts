import { performance } from "node:perf_hooks";
import type { Figure } from "../figure.ts";
import { operations } from "./load.ts";

/** What the page asks a ledger, as little of it as is asked. */
export interface Looked {
  readonly recent: (query: {
    readonly limit: number;
    readonly operation?: string | undefined;
    readonly state?: "open" | "running" | "unknown" | "done" | undefined;
  }) => Promise<readonly { readonly id: string }[]>;
  readonly history: (id: never) => Promise<unknown>;
  readonly journal: { readonly read: (resolution: "fine" | "coarse", since: number) => Promise<readonly unknown[]> };
}

const repeats = 20;
const limit = 100;

/** Processor time that a server's process has used, in milliseconds; `undefined`: it is not this machine's. */
export type ProcessorTime = () => number | undefined;

/**
 * The best of each question, which others on the machine have the least part in, and the slowest of these. `ofServer`: what
 * the server's process itself worked for one, which others have no part in.
 */
export async function measurePages(
  ledger: Looked,
  name: string,
  say: (said: string) => void,
  ofServer: ProcessorTime = () => undefined,
): Promise<readonly Figure[]> {
  const [one] = operations;
  const times: number[] = [];
  const processor: number[] = [];
  const ask = async (question: string, work: () => Promise<unknown>) => {
    const taken: number[] = [];
    const before = ofServer();
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const since = performance.now();
      await work();
      taken.push(performance.now() - since);
    }
    const after = ofServer();
    const each = before === undefined || after === undefined ? undefined : (after - before) / repeats;
    const best = Math.min(...taken);
    const worked = each === undefined ? "" : `, the server works ${each.toFixed(1)}`;
    say(`${name} ${question}: ${best.toFixed(1)} ms (slowest ${Math.max(...taken).toFixed(1)})${worked}`);
    times.push(best);
    if (each !== undefined) processor.push(each);
  };
  for (const operation of [undefined, one, "shop.no-such-operation"]) {
    for (const state of [undefined, "open", "running", "unknown", "done"] as const) {
      await ask(`recent ${state ?? "any"} ${operation ?? "all"}`, () => ledger.recent({ limit, operation, state }));
    }
  }
  for (const state of ["running", "unknown", "done"] as const) {
    const [run] = await ledger.recent({ limit: 1, state });
    if (run !== undefined) await ask(`history ${state}`, () => ledger.history(run.id as never));
  }
  await ask("overview", () => ledger.journal.read("fine", Date.now() - 3_600_000));
  const figure = (what: string, all: readonly number[]): Figure => {
    return { name: `page.${name}.${what}`, value: Math.max(...all), unit: "ms", better: "lower" };
  };
  return [figure("slowestMs", times), ...(processor.length === 0 ? [] : [figure("slowestProcessorMs", processor)])];
}
