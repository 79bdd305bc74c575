import pc from "picocolors";
import type { LoadRow, LoadRunRow, WindowRow } from "../admin/load-rows.ts";
import type { WindowCounts } from "../load/counts.ts";
import type { LoadRefusal } from "../load/refusal.ts";
import type { LoadDone, LoadPreview, LoadReconciliation, LoadResult } from "../load/surface.ts";
import { printable } from "./print.ts";
import { count, inWords } from "./show-pairs.ts";

/** Loads as a person reads them on a terminal. */

const whole = (value: number): string => value.toLocaleString("en-US");
export const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export function loadLines(loads: readonly LoadRow[]): readonly string[] {
  return loads.flatMap(({ name, owner, from, into, newest, refusal }) => [
    `${pc.bold(printable(name))}  ${printable(from)} → ${printable(into)}  ${printable(owner ?? "no owner")}`,
    ...(newest === null ? ["  It has not run yet."] : runLines(newest).map((line) => `  ${line}`)),
    ...(refusal === null
      ? []
      : [
          pc.yellow(`  refused ${timeOf(refusal.at)}: nothing was written; preview tells what mends it`),
          ...refusal.because.map(({ why }) => `    ${printable(why)}`),
        ]),
  ]);
}

export function runLines(run: LoadRunRow): readonly string[] {
  const { windows, startedAt, endedAt, counts } = run;
  const took = endedAt === null ? "" : `, took ${inWords(endedAt - startedAt)}`;
  return [
    `${printable(run.run)}  ${stateOf(run)}  ${rangeOf(run)}  ${windowsOf(windows)}  begun ${timeOf(startedAt)}${took}`,
    pc.dim(`  ${countsLine(counts)}`),
  ];
}

function stateOf({ is, holder }: LoadRunRow): string {
  if (is === "running") return `running${holder === null ? "" : ` at ${printable(holder)}`}`;
  return is === "unfinished" ? pc.yellow("unfinished: the next call goes on") : "done";
}

function rangeOf({ from, to }: { readonly from: string | null; readonly to: string | null }): string {
  if (from === null && to === null) return "all of it";
  return [from === null ? "" : `from ${printable(from)}`, to === null ? "" : `before ${printable(to)}`]
    .filter((part) => part !== "")
    .join(" ");
}

function windowsOf({ of, done }: { readonly of: number; readonly done: number }): string {
  return done === of ? count(of, "window") : `${whole(done)} of ${count(of, "window")}`;
}

const words: readonly (readonly [keyof WindowCounts, string, string])[] = [
  ["inserted", "inserted", ""],
  ["updated", "updated", ""],
  ["unchanged", "unchanged", ""],
  ["refusedOlder", "refused as older", "the table has a newer row, which stays"],
  ["tied", "tied", "the same version with other content: the table's row stays"],
  ["duplicates", "repeated", "of a key that the source has more than once, not the newest"],
  ["keyless", "keyless", "a part of the identity is null: not written"],
];

function countsLine(counts: WindowCounts): string {
  const { read, lost, marked } = counts;
  const parts = words.flatMap(([name, word]) => (counts[name] === 0 ? [] : [`${whole(counts[name])} ${word}`]));
  const gone = lost === 0 ? "" : `; ${whole(lost)} lost by the source, ${whole(marked)} marked`;
  return `${whole(read)} read${parts.length === 0 ? "" : `: ${parts.join(", ")}`}${gone}`;
}

/** One a line; they add up. */
function countLines(counts: WindowCounts): readonly string[] {
  const always = new Set<keyof WindowCounts>(["inserted", "updated", "unchanged"]);
  const shown = words.filter(([name]) => always.has(name) || counts[name] > 0);
  const gone: readonly (readonly [string, number, string])[] =
    counts.lost === 0
      ? []
      : [
          ["lost", counts.lost, "rows of the table that the source no longer has"],
          ["marked", counts.marked, ""],
        ];
  const rows: readonly (readonly [string, number, string])[] = [
    ["read", counts.read, ""],
    ...shown.map(([name, word, why]) => [word, counts[name], why] as const),
    ...gone,
  ];
  const width = Math.max(...rows.map(([, value]) => whole(value).length));
  return rows.map(([word, value, why]) =>
    `  ${word.padEnd(16)}  ${whole(value).padStart(width)}${why === "" ? "" : `  ${pc.dim(why)}`}`.trimEnd(),
  );
}

export function windowLines(windows: readonly WindowRow[]): readonly string[] {
  return windows.map((window, index) => {
    const { from, to, done, of, skipped, running, counts } = window;
    const place = from === null && to === null ? `window ${index + 1}` : rangeOf({ from, to });
    const is = running ? "running" : done < of ? "to do" : skipped > 0 ? "done by an earlier call" : "done";
    return `  ${place.padEnd(40)}  ${is}${done === 0 ? "" : `  ${pc.dim(countsLine(counts))}`}`;
  });
}

export function resultLines(name: string, result: LoadResult): readonly string[] {
  switch (result.status) {
    case "done":
      return doneLines(name, result);
    case "running": {
      const { holder, forMs } = result;
      const until = forMs === null ? "" : ` Its lease ends in ${inWords(Math.max(0, forMs))} unless it is renewed.`;
      return [
        `${pc.bold(printable(name))}  ${pc.yellow("running")} at ${printable(holder ?? "another process")}: nothing was run.${until}`,
      ];
    }
    case "refused":
      return refusedLines(name, result.because);
  }
}

function doneLines(name: string, result: LoadDone): readonly string[] {
  const { run, windows } = result;
  const before = windows.skipped === 0 ? "" : `, ${whole(windows.skipped)} of them by an earlier call`;
  return [
    `${pc.bold(printable(name))}  done, run ${printable(run)}: ${count(windows.of, "window")}${before}`,
    ...countLines(result),
    ...(windows.markRefused === 0
      ? []
      : [
          pc.yellow(
            `  In ${count(windows.markRefused, "window")} more rows were lost than is declared: none there was marked.`,
          ),
        ]),
  ];
}

export function previewLines(name: string, preview: LoadPreview): readonly string[] {
  if (preview.status === "refused") return refusedLines(name, preview.because);
  return [
    `${pc.bold(printable(name))}  a run would do this, as things stand; nothing was written`,
    ...countLines(preview),
  ];
}

export function reconciliationLines(name: string, told: LoadReconciliation): readonly string[] {
  if (told.status === "refused") return refusedLines(name, told.because);
  const title = pc.bold(printable(name));
  if (told.equal) return [`${title}  ${pc.green("equal")}: the table holds what the source holds`];
  const { missing, differing, older, extra, keys } = told;
  const rows = [
    ["missing", missing, "the table lacks the row"],
    ["differing", differing, "same key, other content"],
    ["older", older, "the table has a newer one"],
    ["extra", extra, "the source lacks the row"],
  ] as const;
  const listed = keys.map(({ is, key }) => {
    const parts = Object.entries(key).map(([column, value]) => `${printable(column)} ${printable(value)}`);
    return `  ${is.padEnd(9)}  ${parts.join(", ")}`;
  });
  const all = missing + differing + older + extra;
  return [
    `${title}  ${pc.yellow("differs")}`,
    ...rows
      .filter(([, value]) => value > 0)
      .map(([word, value, why]) => `  ${word.padEnd(9)}  ${whole(value)}  ${pc.dim(why)}`),
    ...(listed.length === 0
      ? []
      : ["", pc.bold(listed.length < all ? `The first ${listed.length}` : "Which"), ...listed]),
  ];
}

/** Each reason with the query that shows the rows in question, and the statements that mend it. */
function refusedLines(name: string, because: readonly LoadRefusal[]): readonly string[] {
  return [
    `${pc.bold(printable(name))}  ${pc.yellow("refused")}: nothing was written`,
    ...because.flatMap(({ why, list, mend }) => [
      "",
      `  ${printable(why)}`,
      ...(list === null ? [] : ["    The rows in question:", ...statementLines(list)]),
      ...(mend.length === 0
        ? []
        : [
            `    What mends it${mend.length === 1 ? "" : ", one by one and in order"}:`,
            ...mend.flatMap(statementLines),
          ]),
    ]),
  ];
}

function statementLines(statement: string): readonly string[] {
  return `${statement};`.split("\n").map((line) => pc.cyan(`      ${printable(line)}`));
}
