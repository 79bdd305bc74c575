import { RepriseError } from "../base/errors.ts";
import type { Carried, CarriedContract, CarriedOutcome } from "../operation/carry.ts";
import type { AnyRefused, Outcome } from "../operation/outcome.ts";
import type { Settlement } from "../operation/record.ts";
import { callRun, settle } from "../operation/refusing.ts";

/** An operation without an engine, so that the suite of a transport can bring about each outcome. */

export interface StandIn {
  readonly operation: Carried<unknown, unknown, AnyRefused>;
  /** How often `run` was called. */
  readonly runs: () => number;
  /** Resolves when all work that was begun has ended. */
  readonly idle: () => Promise<void>;
  /** Loses every rendering, as if another transport had kept the outcomes. */
  readonly forgetRenderings: () => void;
}

export interface StandInOptions {
  readonly contract?: Partial<CarriedContract> | undefined;
  /** What the work does, with its input. Default: `{ done: input.item }`. */
  readonly run?: ((input: { readonly item: string }) => unknown) | undefined;
  /** Told instead of running, or thrown; by input, where it is a function. */
  readonly answers?: Instead | ((input: { readonly item: string }) => Instead | undefined) | undefined;
}
type Instead = Outcome<unknown, AnyRefused> | Error;

interface Kept {
  readonly print: string;
  end: { readonly settled: Settlement; rendered: string | null } | undefined;
}

const at = new Date(Date.UTC(2026, 0, 1));

export function standIn({ contract, run, answers }: StandInOptions = {}): StandIn {
  const works = new Map<string, Kept>();
  const underWay = new Set<Promise<unknown>>();
  let runs = 0;
  const terms: CarriedContract = {
    operation: "seat.book",
    identity: "from-input",
    principal: "everyone",
    retentionMs: 86_400_000,
    costIfTwice: null,
    refusals: { "sold-out": { status: 409, because: "No seat is left." } },
    ...contract,
  };

  const perform = (input: { readonly item: string }): Promise<Settlement> => {
    runs += 1;
    return settle(() => callRun(async () => (run ?? (({ item }) => ({ done: item })))(input)));
  };

  const told = ({ settled, rendered }: NonNullable<Kept["end"]>, replayed: boolean) =>
    ({ outcome: { ...settled, replayed, at }, rendered }) as CarriedOutcome<unknown, AnyRefused>;

  const execute: Carried<unknown, unknown, AnyRefused>["~carry"]["execute"] = async (
    given,
    { key, principal, render },
  ) => {
    const input = given as { readonly item: string; readonly user?: string };
    const instead = typeof answers === "function" ? answers(input) : answers;
    if (instead instanceof Error) throw instead;
    if (instead !== undefined) return { outcome: instead, rendered: null };
    if (terms.principal === "from-input" && principal !== input.user) {
      throw new RepriseError("REPRISE_PRINCIPAL_DIFFERS", { operation: terms.operation });
    }
    const name = JSON.stringify([principal, key ?? input.item]);
    const print = JSON.stringify(input);
    const before = works.get(name);
    if (before !== undefined) {
      if (before.print !== print) return { outcome: { status: "mismatch", firstSeen: at }, rendered: null };
      if (before.end !== undefined) return told(before.end, true);
      return { outcome: { status: "running", since: at, retryAfterMs: 1_200 }, rendered: null };
    }
    const work: Kept = { print, end: undefined };
    works.set(name, work);
    try {
      const settled = await perform(input);
      work.end = { settled, rendered: render?.(settled) ?? null };
      return told(work.end, false);
    } catch (error) {
      works.delete(name);
      throw error;
    }
  };

  return {
    runs: () => runs,
    idle: async () => {
      await Promise.allSettled(underWay);
    },
    forgetRenderings: () => {
      for (const { end } of works.values()) {
        if (end !== undefined) end.rendered = null;
      }
    },
    operation: {
      name: terms.operation,
      "~carry": {
        contract: terms,
        execute: (input, options) => {
          const executed = execute(input, options);
          underWay.add(executed);
          return executed.finally(() => underWay.delete(executed));
        },
        find: async () => null,
      },
    },
  };
}
