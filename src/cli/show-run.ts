import pc from "picocolors";
import type { Choice } from "../admin/choices.ts";
import type { RunRow, ShownRow } from "../admin/rows.ts";
import type { Progress } from "../contract/ledger.ts";
import { printable } from "./print.ts";

/** Runs as a person reads them on a terminal. */

export function listLines(runs: readonly RunRow[]): readonly string[] {
  if (runs.length === 0) return ["No work is kept that is so."];
  const rows = runs.map((run) => [run.id, stateOf(run), timeOf(run.createdAt), `${run.operation} / ${run.identity}`]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((cells, place) => {
    const row = cells.map((cell, column) => printable(cell).padEnd(widths[column] ?? 0)).join("  ");
    const why = runs[place]?.why ?? null;
    return why === null ? row : `${row}  ${pc.dim(printable(why))}`;
  });
}

export function runLines({ run, effects, attempts, choices }: ShownRow): readonly string[] {
  const facts: readonly (readonly [string, string])[] = [
    ["id", run.id],
    ["state", `${stateOf(run)}${run.endedAt === null ? "" : `, since ${timeOf(run.endedAt)}`}`],
    ...(run.why === null ? [] : [["why", run.why] as const]),
    ...(run.progress === null ? [] : [["progress", progressOf(run.progress)] as const]),
    ...(run.cancelled ? [["cancelled", "nobody wants it any more"] as const] : []),
    ["belongs to", run.principal],
    ["caller's key", run.key ?? "none"],
    ["fingerprint", run.fingerprint],
    ["attempts", `${run.token}, the last by ${run.owner}`],
    ["begun", timeOf(run.createdAt)],
    ["kept until", timeOf(run.keepUntil)],
  ];
  const happened = [
    ...effects.flatMap(({ effect, kind, startedAt, pinnedAt }) => [
      { at: startedAt, what: `${kind} '${effect}' ${kind === "effect" ? "started" : "begun"}` },
      ...(pinnedAt === null ? [] : [{ at: pinnedAt, what: `${kind} '${effect}' answered` }]),
    ]),
    ...attempts.map(({ at, what, owner, why }) => ({
      at,
      what: `${what.replace("-", " ")} by ${owner}${why === null ? "" : `: ${why}`}`,
    })),
  ].sort((a, b) => a.at - b.at);
  return [
    pc.bold(printable(`${run.operation} / ${run.identity}`)),
    ...facts.map(([name, value]) => `  ${name.padEnd(12)}  ${printable(value)}`),
    ...(happened.length === 0 ? [] : ["", pc.bold("What happened")]),
    ...happened.map(({ at, what }) => `  ${timeOf(at)}  ${printable(what)}`),
    "",
    pc.bold(choices.length === 0 ? "There is nothing to decide." : "What may be decided"),
    ...choices.flatMap((choice) => [
      `  ${printable(optionsOf(choice))}`,
      `      ${printable(choice.says)}`,
      ...(choice.risks === undefined ? [] : [`      ${pc.yellow("If you are wrong:")} ${printable(choice.risks)}`]),
    ]),
  ];
}

/** A choice as it is written on the command line. */
export function optionsOf({ does, effect, with: given, refusals }: Choice): string {
  const value = {
    value: " --value JSON",
    "never-happened": " --never-happened",
    refusal: ` --refusal ${refusals?.join("|")}`,
  };
  return `${does}${effect === undefined ? "" : ` --effect ${effect}`}${given === undefined ? "" : value[given]}`;
}

export function stateOf({ state, refused }: RunRow): string {
  return state === "done" && refused === true ? "refused" : state;
}

const progressOf = ({ done, total }: Progress): string => (total === null ? `${done}` : `${done} of ${total}`);

const timeOf = (at: number): string => new Date(at).toISOString().replace("T", " ");
