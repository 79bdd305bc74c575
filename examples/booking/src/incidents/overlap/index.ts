import type { IncidentResult, IncidentSide } from "reprise/page";
import { inScratch, type Progress, together } from "../scratch.ts";
import type { Damage } from "./count.ts";
import { everyMs, runSide, type SideResult } from "./run.ts";

export interface OverlapSettings {
  readonly seed: number;
  /** A few kills. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export interface Overlap {
  readonly without: Damage;
  readonly with: Damage;
  /** On each side. */
  readonly kills: number;
  /** Against a price API that ignores keys: kills, and changes that wait for a person. */
  readonly withoutKeys: Damage & { readonly kills: number; readonly unknown: number };
  readonly result: IncidentResult;
}

/** Lets the worker overlap itself and kills it, on both sides, and with Reprise against a price API that knows no keys too. */
export async function runOverlap({ seed, quick, progress }: OverlapSettings): Promise<Overlap> {
  const kills = quick ? 3 : 24;
  const killsWithoutKeys = quick ? 1 : 4;
  return inScratch("overlap", async (directory) => {
    const common = { directory, seed };
    const progressOf = together(progress, ["without", "with", "noKeys"]);
    const run = (side: "without" | "with") =>
      runSide({ ...common, side, keys: "honoured", kills, progress: progressOf[side] });
    // all wait most of the time: for prices, for ticks
    const [plain, reprise, noKeys] = await Promise.all([
      run("without"),
      run("with"),
      runSide({
        ...{ ...common, side: "with", keys: "ignored", kills: killsWithoutKeys },
        progress: progressOf.noKeys,
      }),
    ]);
    return {
      without: plain.total,
      with: reprise.total,
      kills,
      withoutKeys: { ...noKeys.total, kills: killsWithoutKeys, unknown: noKeys.unknown },
      result: resultOf(
        plain,
        reprise,
        noKeys,
        `npm run -s incident -- overlap --seed ${seed}${quick ? " --quick" : ""}`,
      ),
    };
  });
}

/** What must hold of a run, in words; empty: it does. */
export function failuresOf({
  without,
  with: reprise,
  withoutKeys,
}: Omit<Overlap, "kills" | "result">): readonly string[] {
  return [
    without.billedTwice === 0 ? "without: nothing was billed twice" : "",
    without.differentBlobs === 0 ? "without: no blob was written with two contents" : "",
    reprise.billedTwice > 0 ? "with: changes were billed twice" : "",
    reprise.differentBlobs > 0 ? "with: blobs were written with two contents" : "",
    withoutKeys.billedTwice > 0 ? "with, and no keys: changes were billed twice" : "",
    withoutKeys.unknown < withoutKeys.kills ? "with, and no keys: a lost answer does not wait for a person" : "",
  ].filter((failure) => failure !== "");
}

function resultOf(plain: SideResult, reprise: SideResult, noKeys: SideResult, again: string): IncidentResult {
  const kills = plain.rounds.length;
  return {
    at: new Date().toISOString(),
    headline: headlineOf(plain.total, reprise.total),
    sides: [
      sideOf(plain, "Without", "who is pending: ask, write the blob, mark"),
      sideOf(reprise, "With Reprise", "the schedule as declared in jobs/enrichment.ts"),
    ],
    rowsTitle: "And with a price API that takes no notice of keys",
    rowsOf: "With Reprise",
    rows: [
      {
        taken: `${noKeys.rounds.length} kills before an answer was kept`,
        figures: [noKeys.changes, noKeys.total.billedTwice, noKeys.total.differentBlobs, noKeys.unknown],
      },
    ],
    rowHeads: ["Changes", "Billed twice", "Blobs that differ", "Wait for a person"],
    facts: [
      {
        name: "Kills",
        value: `${kills} on each side, SIGKILL of the worker's own process; eight customers changed before each`,
      },
      {
        name: "Without",
        value: "no key is sent, and each blob is written over whatever is there",
      },
      {
        name: "Overlap",
        value:
          "without: the next worker starts while the first is at its second or third customer; with: two instances, and each tick is due in both",
      },
      {
        name: "Price API",
        value: "a process and a database of its own; bills by the call, and each answer is another",
      },
      {
        name: "Ticks",
        value: `every ${everyMs / 1_000} s instead of 1 min; leases of ${everyMs / 1_000} s instead of 30 s`,
      },
      {
        name: "Billed twice",
        value: "changes of a customer for which the price API's own ledger has more than one call",
      },
      {
        name: "Differ",
        value: "blobs of which two contents were written, or tried to be; each try is noted before it",
      },
    ],
    again,
  };
}

function headlineOf(without: Damage, reprise: Damage): string {
  const customers = (count: number) => (count === 0 ? "none" : count === 1 ? "one customer" : `${count} customers`);
  const first = customers(without.billedTwice);
  return `${first.charAt(0).toUpperCase()}${first.slice(1)} billed twice, or ${customers(reprise.billedTwice)}.`;
}

function sideOf({ rounds, total, calls, changes }: SideResult, title: string, note: string): IncidentSide {
  return {
    title,
    note,
    figures: [
      {
        label: "Billed twice",
        value: String(total.billedTwice),
        unit: `of ${changes} changes`,
        bad: total.billedTwice > 0,
      },
      { label: "Blobs that differ", value: String(total.differentBlobs), unit: "", bad: total.differentBlobs > 0 },
      { label: "Calls billed", value: String(calls), unit: `for ${changes} changes`, bad: calls > changes },
    ],
    panes: [],
    marks: [],
    kills: {
      height: "how many of the eight customers were billed twice",
      heads: ["Billed twice", "Blobs that differ", "The bill"],
      events: rounds.map(({ point, told, billedTwice, differentBlobs }) => ({
        ...{ point, count: billedTwice, beside: differentBlobs, told },
        bad: billedTwice + differentBlobs > 0,
      })),
    },
  };
}
