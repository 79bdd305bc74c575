import type { RunHistory } from "../contract/ledger.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";

/** One thing that a person may decide about a run, and what it will do. What is safe comes first. */
export interface Choice {
  readonly does: "settle" | "answer" | "rerun" | "release" | "cancel";
  /** The effect that an answer is for. */
  readonly effect?: string | undefined;
  /** What the person says of it besides who and why: a value, a declared refusal, or that the effect never happened. */
  readonly with?: "value" | "refusal" | "never-happened" | undefined;
  readonly says: string;
  /** What it costs if the person is wrong: "it happens a second time, …". Left out: nothing is lost. */
  readonly risks?: string | undefined;
  /** The declared refusals that there are to choose from. */
  readonly refusals?: readonly string[] | undefined;
}

/** `undefined`: the operation is not declared here. */
type Declared =
  | Pick<OperationDeclaration, "costIfTwice" | "dispatch" | "refusals" | "resumes" | "retention">
  | undefined;

const cancel: Choice = {
  does: "cancel",
  says: "Says that nobody wants the work any more: it ends as cancelled, or waits for a person where something of it happened.",
  risks: "it does not run, and whoever asks is told that it was cancelled.",
};

/** What may be decided as the run stands. Nothing about work that is done, or that waits for its caller's next attempt. */
export function choicesOf({ run, effects }: RunHistory, declared: Declared): readonly Choice[] {
  const ends = declared?.dispatch !== undefined && !run.cancelled ? [cancel] : [];
  switch (run.state) {
    case "open":
      return ends;
    case "running":
      return [
        ...ends,
        {
          does: "release",
          says: `Ends the lease of ${run.owner} now; the next attempt goes on from what is recorded.`,
          risks: "an owner that still lives writes nothing more, and what it has sent is dealt with as a lost answer.",
        },
      ];
    case "unknown": {
      const open = effects.filter(({ state }) => state === "started").map(({ effect }) => effect);
      return [rerun(open, declared), ...open.flatMap((effect) => answers(effect, declared)), ...settlements(declared)];
    }
    default:
      return [];
  }
}

function rerun(open: readonly string[], declared: Declared): Choice {
  const goesOn =
    declared?.resumes === "by-itself" || declared?.dispatch !== undefined
      ? "It goes on by itself"
      : "It goes on with its caller's next attempt";
  return {
    does: "rerun",
    says:
      open.length === 0
        ? `Opens the work again. ${goesOn}, from what is recorded, and calls nothing that was answered.`
        : `Opens the work again. ${goesOn}: an effect without an answer is dealt with as it is declared, so it may park again.`,
  };
}

function answers(effect: string, declared: Declared): readonly Choice[] {
  return [
    {
      does: "answer",
      effect,
      with: "value",
      says: `'${effect}' happened, and this is its answer: it is kept as if it had come, '${effect}' is not called again, and the work goes on from there.`,
      risks: "it never happens, and the work goes on as if it had.",
    },
    {
      does: "answer",
      effect,
      with: "never-happened",
      says: `'${effect}' never happened: its record is struck out, and the next attempt calls it.`,
      risks: `it happens a second time, ${costOf(declared?.costIfTwice)}.`,
    },
  ];
}

function settlements(declared: Declared): readonly Choice[] {
  const told =
    declared?.retention === undefined
      ? "everybody who asks is told it"
      : `everybody who asks is told it for ${declared.retention}`;
  const risks = "what the work has left undone stays undone, and this cannot be taken back.";
  const refusals = Object.keys(declared?.refusals ?? {});
  return [
    { does: "settle", with: "value", says: `Gives the work its outcome by hand: nothing is run, ${told}.`, risks },
    ...(refusals.length === 0
      ? []
      : [
          {
            does: "settle",
            with: "refusal",
            says: `Ends the work with one of its declared refusals: nothing is run, ${told}.`,
            risks,
            refusals,
          } as const,
        ]),
  ];
}

function costOf(cost: OperationDeclaration["costIfTwice"]): string {
  return cost === undefined ? "and nobody has decided what that costs" : `which costs ${cost}`;
}
