import type { LoadRow } from "../admin/load-rows.ts";
import type { ScheduleRow, TickRow } from "../admin/schedule-rows.ts";
import type { Decided } from "../decisions/decided.ts";
import type { TickResult } from "../schedule/surface.ts";
import { asked, counted, ownersOf, valueIn, whole } from "./question-words.ts";
import type { Grounds } from "./questions.ts";
import type { Question } from "./wire.ts";

/** Questions B and C, as far as there is something to say about them here. */
export function jobQuestions(decided: readonly Decided[], { loads, schedules }: Grounds["jobs"]): readonly Question[] {
  const declaredLoads = decided.filter(({ kind }) => kind === "load");
  const declaredSchedules = decided.filter(({ kind }) => kind === "schedule");
  return [
    ...(declaredLoads.length === 0 ? [] : [rerunLoad(declaredLoads, loads)]),
    ...(declaredSchedules.length === 0 ? [] : [overlap(declaredSchedules, schedules)]),
  ];
}

function rerunLoad(declared: readonly Decided[], loads: readonly LoadRow[]): Question {
  const open = declared.filter(({ undecided }) => undecided.length > 0);
  const newest = loads.flatMap((load) => load.newest ?? []);
  const sum = (name: "unchanged" | "refusedOlder" | "tied") =>
    newest.reduce((total, { counts }) => total + counts[name], 0);
  const met = sum("unchanged") + sum("refusedOlder");
  const older = sum("refusedOlder");
  const unfinished = loads.filter((load) => load.newest?.is === "unfinished").map(({ name }) => name);
  return {
    ...asked("B"),
    state: open.length > 0 ? "undecided" : met > 0 ? "evidence" : "declared",
    answer:
      open.length > 0
        ? `Nobody has decided this in full for **${open.length} of ${declared.length}** loads.`
        : met > 0
          ? `**${whole(met)}** rows met what the table has and left it as it was${older === 0 ? "" : `; ${whole(older)} of them were older`}.`
          : `**${declared.length} of ${declared.length}** write only what is new or newer. No row has been met twice yet.`,
    detail: [
      declared
        .map(({ name, answers }) => `${name} by ${valueIn(answers["identity"])}, ${newer(valueIn(answers["newer"]))}`)
        .join("; "),
      unfinished.length === 0 ? "" : ` Stopped half way, and gone on with by the next call: ${unfinished.join(", ")}.`,
    ].join("."),
    owners: open.length > 0 ? "nobody" : ownersOf(declared),
    source: open.length > 0 ? namesOf(open) : met > 0 ? "counted in the newest runs" : "declared in code",
  };
}

/** What comes later is a sentence of its own. */
const newer = (declared = ""): string => (declared.includes(" ") ? declared : `newer by ${declared}`);

const ticksOf = counted("tick", "ticks");
const recordsOf = counted("record", "records");

function overlap(declared: readonly Decided[], schedules: readonly ScheduleRow[]): Question {
  const open = declared.filter(({ undecided }) => undecided.length > 0);
  const ticks = schedules.flatMap((schedule) => schedule.ticks);
  const ended = (is: TickResult) => ticks.reduce((sum, tick) => sum + (tick.is === is ? tick.atLeast : 0), 0);
  const walked = ended("walked-away");
  const replayed = sumOf(ticks, "replayed");
  const paused = schedules.flatMap((schedule) => (schedule.paused === null ? [] : [schedule.name]));
  const others = [
    ...(ended("missed") === 0 ? [] : [`${whole(ended("missed"))} missed`]),
    ...(ended("stopped") === 0 ? [] : [`${whole(ended("stopped"))} stopped for the next`]),
    ...(ended("failed") === 0 ? [] : [`${whole(ended("failed"))} failed`]),
  ];
  return {
    ...asked("C"),
    state: open.length > 0 ? "undecided" : walked + replayed > 0 ? "evidence" : "declared",
    answer:
      open.length > 0
        ? `Nobody has decided this in full for **${open.length} of ${declared.length}** schedules.`
        : walked > 0
          ? `**${ticksOf(walked)}** walked away${replayed === 0 ? "" : `; ${recordsOf(replayed)} known already, not run again`}.`
          : replayed > 0
            ? `**${recordsOf(replayed)}** were known already and not run again. None has overlapped yet.`
            : `**${declared.length} of ${declared.length}** say what an overlap does. There has been none yet.`,
    detail: [
      `${declared.map(({ name, answers }) => `${name}: ${valueIn(answers["ifStillRunning"])}`).join("; ")}.`,
      ...(others.length === 0 ? [] : [`Of ${ticksOf(ticks.length)} kept: ${others.join(", ")}.`]),
      ...(paused.length === 0 ? [] : [`Paused: ${paused.join(", ")}.`]),
    ].join(" "),
    owners: open.length > 0 ? "nobody" : ownersOf(declared),
    source: open.length > 0 ? namesOf(open) : ticks.length > 0 ? "counted in the ticks kept" : "declared in code",
  };
}

function sumOf(ticks: readonly TickRow[], name: "replayed"): number {
  return ticks.reduce((sum, { counts }) => sum + (counts?.[name] ?? 0), 0);
}

const namesOf = (open: readonly Decided[]): string => open.map(({ name }) => name).join(", ");
