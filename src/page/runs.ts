import type { Shown } from "../admin/administration.ts";
import { choicesOf } from "../admin/choices.ts";
import { runRow, runStates, twiceRow } from "../admin/rows.ts";
import { listTwice } from "../admin/twice.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import type { WorkId } from "../base/names.ts";
import { withDeadline } from "../base/promise.ts";
import type { Ledger, RunState } from "../contract/ledger.ts";
import type { Inside } from "../observe/inside.ts";
import { timelineOf } from "./timeline.ts";
import type { RunAnswer, RunsAnswer, TwiceAnswer } from "./wire.ts";

const runsByDefault = 50;
const runsAtMost = 200;

/** The newest runs, at most `limit`: the ledger is never counted and never read whole. */
export async function recentRuns(inside: Inside, query: URLSearchParams): Promise<RunsAnswer> {
  const ledger = await ledgerOf(inside);
  const at = inside.clock().now();
  if (ledger === undefined) return { v: 1, at, ledger: false, runs: [], more: false };
  const asked = Number(query.get("limit") ?? runsByDefault);
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, runsAtMost) : runsByDefault;
  const state = query.get("state");
  const found = await bounded(
    inside,
    ledger,
    ledger.recent({
      limit: limit + 1,
      operation: query.get("operation") ?? undefined,
      state: isState(state) ? state : undefined,
    }),
  );
  return { v: 1, at, ledger: true, runs: found.slice(0, limit).map(runRow), more: found.length > limit };
}

/** What succeeded twice, at most as many as runs. */
export async function succeededTwice(inside: Inside): Promise<TwiceAnswer> {
  const ledger = await ledgerOf(inside);
  const at = inside.clock().now();
  if (ledger === undefined) return { v: 1, at, twice: [] };
  const found = await bounded(inside, ledger, listTwice(inside, ledger, { limit: runsByDefault }));
  return { v: 1, at, twice: found.map(twiceRow) };
}

/** `undefined`: no such run, or no longer. */
export async function oneRun(inside: Inside, id: string): Promise<RunAnswer | undefined> {
  const ledger = await ledgerOf(inside);
  if (ledger === undefined) return undefined;
  const history = await bounded(inside, ledger, ledger.history(id as WorkId));
  if (history === null) return undefined;
  const declared = declarationOf(inside, history.run.operation);
  return runAnswer(inside, { ...history, choices: choicesOf(history, declared) });
}

export function runAnswer(inside: Inside, { choices, ...history }: Shown): RunAnswer {
  const effects = declarationOf(inside, history.run.operation)?.effects;
  return {
    v: 1,
    at: inside.clock().now(),
    run: runRow(history.run),
    timeline: timelineOf(history, effects),
    choices,
  };
}

const declarationOf = (inside: Inside, operation: string) =>
  inside.operations().find(({ name }) => name === operation)?.declaration;

async function ledgerOf(inside: Inside): Promise<Ledger<unknown> | undefined> {
  await inside.started();
  return inside.ledger();
}

function bounded<T>(inside: Inside, ledger: Ledger<unknown>, work: Promise<T>): Promise<T> {
  return withDeadline(
    inside.clock(),
    defaults.page.lookMs,
    work,
    () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: ledger.name, doing: "looking" }),
  );
}

function isState(text: string | null): text is RunState {
  return runStates.some((state) => state === text);
}
