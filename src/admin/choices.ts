import type { RunHistory } from "../contract/ledger.ts";

/** One thing that a person may decide about a run, and what it will do. */
export interface Choice {
  readonly does: "settle" | "answer" | "rerun" | "release" | "cancel";
  /** The effect that an answer is for. */
  readonly effect?: string;
  readonly says: string;
}

const cancel: Choice = {
  does: "cancel",
  says: "Says that nobody wants the work any more: it ends as cancelled, or waits for a person where something of it happened.",
};

/** What may be decided as the run stands. Nothing about work that is done, or that waits for its caller's next attempt. */
export function choicesOf({ run, effects }: RunHistory, isBackground: boolean): readonly Choice[] {
  const ends = isBackground && !run.cancelled ? [cancel] : [];
  switch (run.state) {
    case "open":
      return ends;
    case "running":
      return [
        ...ends,
        {
          does: "release",
          says: "Ends the owner's lease now. Should it still live, it writes nothing more; the next attempt goes on from what is recorded.",
        },
      ];
    case "unknown": {
      const open = effects.filter(({ state }) => state === "started");
      return [
        ...open.map(
          ({ effect }): Choice => ({
            does: "answer",
            effect,
            says: `Says what became of '${effect}': with its answer it is not called again; if it never happened, the next attempt calls it.`,
          }),
        ),
        {
          does: "rerun",
          says:
            open.length === 0
              ? "Opens the work again: it goes on from what is recorded, and calls nothing that was answered."
              : "Opens the work again: an effect without an answer is dealt with as it is declared, so it may park again.",
        },
        { does: "settle", says: "Gives the work its outcome by hand: nothing is run, everybody who asks is told it." },
      ];
    }
    default:
      return [];
  }
}
