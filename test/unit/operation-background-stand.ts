import { expect } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, type ManualClock, manualClock } from "../../src/testing/index.ts";

export interface Export {
  readonly user: string;
  readonly month: string;
}
export const january: Export = { user: "ann", month: "2026-01" };

/** Exports that are written in the background. Several instances may share a clock and a ledger. */
export function createExports(
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

export async function acceptedId(answer: Promise<{ readonly status: string }>): Promise<string> {
  const outcome = await answer;
  expect(outcome).toMatchObject({ status: "accepted" });
  return (outcome as { readonly status: string; readonly id: string }).id;
}
