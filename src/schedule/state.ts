import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import type { Register } from "../contract/registers.ts";
import type { RecordCounts, TickResult } from "./surface.ts";

/** How a schedule stands, as its register keeps it. Instants are milliseconds since the epoch, by the store's clock. */
export interface ScheduleState {
  readonly since: number;
  /** Every tick up to this one is current or has an end. */
  readonly handledUntil: number;
  readonly paused: { readonly who: string; readonly why: string; readonly at: number } | null;
  readonly current: CurrentTick | null;
  /** The nominal instant of a tick that is asked to stop. */
  readonly stop: number | null;
  /** The ticks that were caught up since the newest one: of `atMost`. */
  readonly caughtUp: { readonly newest: number; readonly ticks: number } | null;
  /** The last ends, oldest first. */
  readonly ticks: readonly EndedTick[];
}

export interface CurrentTick {
  /** The nominal instant. */
  readonly at: number;
  /** Of the lease it runs under: whoever brings another has been replaced. */
  readonly token: number;
  readonly startedAt: number;
  /** When its present holder took it up: later than its start after a crash. */
  readonly takenAt: number;
  readonly holder: string;
  readonly starts: number;
}

/** `TickEnd`, with instants as numbers. */
export interface EndedTick {
  readonly at: number;
  readonly is: TickResult;
  readonly from: number | null;
  readonly ticks: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly holder: string | null;
  readonly counts: RecordCounts | null;
  readonly why: string | null;
}

/**
 * Of a schedule that nobody has seen before. It begins when this is written, by the store's clock, which is known only then:
 * what was due earlier is no business of it.
 */
export const unseen: ScheduleState = {
  ...{ since: 0, handledUntil: 0, paused: null, current: null, stop: null, caughtUp: null, ticks: [] },
};

/** The ends with more, in the order of their instants. A tick that was run again by hand has its last end only. */
export function withEnds(ticks: readonly EndedTick[], more: readonly EndedTick[]): readonly EndedTick[] {
  if (more.length === 0) return ticks;
  const isReplaced = (tick: EndedTick) =>
    tick.from === null && more.some(({ at, from }) => from === null && at === tick.at);
  return [...ticks.filter((tick) => !isReplaced(tick)), ...more]
    .sort((a, b) => a.at - b.at)
    .slice(-defaults.schedule.keptTicks);
}

const version = 1;

export function encodeState(state: ScheduleState): string {
  return JSON.stringify({ v: version, ...state });
}

/**
 * What `encodeState` made. What is written by a later version, or by no version, is not written over.
 * @throws REPRISE_LEDGER_SCHEMA, REPRISE_LEDGER_UNUSABLE
 */
export function decodeState({ name: register, value, at }: Register, ledger: string): ScheduleState {
  let kept: unknown;
  try {
    kept = JSON.parse(value);
  } catch {
    throw unreadable(ledger, register);
  }
  if (!isObject(kept)) throw unreadable(ledger, register);
  const { v, since, handledUntil, paused, current, stop, caughtUp, ticks } = kept;
  if (v !== version) {
    const found = `${String(v)} of ${register}`;
    throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found, expected: String(version) });
  }
  const isWhole =
    isNumber(since) &&
    isNumber(handledUntil) &&
    isNullOr(paused, (one) => isText(one["who"]) && isText(one["why"]) && isNumber(one["at"])) &&
    isNullOr(current, isCurrent) &&
    (stop === null || isNumber(stop)) &&
    isNullOr(caughtUp, (one) => isNumber(one["newest"]) && isNumber(one["ticks"])) &&
    Array.isArray(ticks) &&
    ticks.every((tick) => isObject(tick) && isEnded(tick));
  if (!isWhole) throw unreadable(ledger, register);
  const first = since === 0 ? { since: at, handledUntil: at } : { since, handledUntil };
  return { ...first, paused, current, stop, caughtUp, ticks } as unknown as ScheduleState;
}

type Kept = Readonly<Record<string, unknown>>;

function isCurrent(tick: Kept): boolean {
  const { at, token, startedAt, takenAt, holder, starts } = tick;
  return [at, token, startedAt, takenAt, starts].every(isNumber) && isText(holder);
}

const results: ReadonlySet<unknown> = new Set<TickResult>([
  ...(["ran", "failed", "unknown", "stopped", "walked-away", "missed", "paused"] as const),
]);
const counted = ["records", "ran", "replayed", "refused", "unknown", "failed", "running"] as const;

function isEnded(tick: Kept): boolean {
  const { at, is, from, ticks, startedAt, endedAt, holder, counts, why } = tick;
  return (
    [at, endedAt].every(isNumber) &&
    results.has(is) &&
    [from, ticks, startedAt].every((one) => one === null || isNumber(one)) &&
    [holder, why].every((one) => one === null || isText(one)) &&
    (counts === null || isCounts(counts))
  );
}

/** Whether a value that was kept is what a work list ends with. */
export function isCounts(value: unknown): value is RecordCounts {
  return isObject(value) && counted.every((name) => isNumber(value[name]));
}

function isObject(value: unknown): value is Kept {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function isNullOr(value: unknown, holds: (value: Kept) => boolean): boolean {
  return value === null || (isObject(value) && holds(value));
}
function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
function isText(value: unknown): value is string {
  return typeof value === "string";
}

function unreadable(ledger: string, register: string): RepriseError {
  return new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: `register '${register}' cannot be read` });
}
