import { createReprise, type Schema } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger } from "../../src/testing/index.ts";

export interface Seat {
  readonly reference: string;
  readonly seat: number;
}
export const seat = (reference: string, number = 1): Seat => ({ reference, seat: number });

const seats: Schema<Seat> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "object" && value !== null && "reference" in value
        ? { value: value as Seat }
        : { issues: [{ message: "no seat" }] },
  },
};

/** An instance as a function has it, by the process's own clock: the platforms' time is no other. */
export function stand({ effects = "external" }: { readonly effects?: "external" | "database" } = {}) {
  const faulty = faultyLedger(memoryLedger());
  const runs: string[] = [];
  let run = async (input: Seat): Promise<unknown> => input.seat;
  /** Several processes share one ledger here. */
  const instance = (name: string) => {
    const ledger = { ...faulty.ledger, close: async () => {} };
    const background = "elsewhere" as const;
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, background, instance: name });
    const book = reprise.operation({
      name: "seat.book",
      input: seats,
      ifRunsAgain: "replays",
      costIfTwice: "money",
      principal: "everyone",
      identity: (input: Seat) => [input.reference],
      retention: "1d",
      effects: effects as "external",
      refusals: { "sold-out": { status: 409, because: "No seat is left." } },
      run: async ({ input, refuse }) => {
        runs.push(input.reference);
        if (input.seat < 0) throw refuse("sold-out");
        return run(input);
      },
    });
    return { reprise, book };
  };
  return {
    faulty,
    runs,
    instance,
    ...instance("first"),
    running: (next: typeof run) => {
      run = next;
    },
    /** How often the store was asked by whoever wants to do the work. */
    reads: () => faulty.calls("claim") + faulty.calls("atomic"),
  };
}

/** Something to be waited for, and to be let go. */
export function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
