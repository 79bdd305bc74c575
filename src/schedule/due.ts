import { defaults } from "../base/defaults.ts";
import type { Note } from "../contract/ledger.ts";
import type { Cadence } from "./cadence.ts";
import type { IfStillRunning } from "./declaration.ts";
import { type CurrentTick, type EndedTick, type ScheduleState, withEnds } from "./state.ts";
import type { RecordCounts, TickResult } from "./surface.ts";

/**
 * What a schedule does next, decided by nothing but its state, its rules and the time. Each function may be given a state
 * that another instance has changed meanwhile, and may be called again after an answer that was lost.
 */

/** What a declaration makes of ticks. */
export interface Rules {
  readonly cadence: Cadence;
  readonly ifStillRunning: IfStillRunning;
  /** Of those that are due: the newest alone, or every one. */
  readonly catchesUp: "newest" | "every";
  /** What is older is missed. */
  readonly withinMs: number;
  /** How many run from one tick to the next, where every one is caught up. */
  readonly atMost: number;
  /** How long the outcome of a tick is kept: of one that was left for longer nobody knows whether it was done. */
  readonly retentionMs: number;
}

/** Who holds the lease. */
export interface Holder {
  readonly name: string;
  readonly token: number;
}

export interface Begun {
  readonly state: ScheduleState;
  /** What the holder is to run; `null`: nothing is due. */
  readonly tick: number | null;
}

/** Takes up the tick that is due: the one that an earlier holder left unfinished, or the next. */
export function begin(given: ScheduleState, now: number, holder: Holder, rules: Rules): Begun {
  if (given.paused !== null) return { state: given, tick: null };
  // a newer tick that came due while nobody was there stops an unfinished one before it is taken up
  const state = takeUp(rules.ifStillRunning === "stop-it" ? overlap(given, now, rules) : given, now, holder, rules);
  if (state.current !== null) return { state, tick: state.current.at };
  const due = dueNow(state, now, rules);
  if (due === null) return { state, tick: null };
  const ends = missedIn(state.handledUntil, due.missedUntil, now, rules.cadence);
  const handledUntil = due.tick ?? Math.max(state.handledUntil, due.missedUntil);
  const left = { ...state, handledUntil, caughtUp: due.caughtUp, ticks: withEnds(state.ticks, ends) };
  return due.tick === null
    ? { state: left, tick: null }
    : { state: { ...left, current: started(due.tick, now, holder) }, tick: due.tick };
}

/** Takes up a tick that a person asks for; one that an earlier holder left unfinished comes first. */
export function beginAsked(state: ScheduleState, tick: number, now: number, holder: Holder, rules: Rules): Begun {
  const left = takeUp(state, now, holder, rules);
  const current = left.current ?? started(tick, now, holder);
  return { state: { ...left, current }, tick: current.at };
}

/** How a tick's run came out. */
export interface Came {
  readonly is: TickResult;
  readonly counts: RecordCounts | null;
  readonly why: string | null;
  /** Whether it had come to its end before, and nothing ran now. */
  readonly replayed?: boolean;
}

/** Ends the tick that runs under this token. It is another's, or has an end: nothing changes. */
export function end(state: ScheduleState, came: Came, now: number, { token }: Pick<Holder, "token">): ScheduleState {
  const { current } = state;
  if (current === null || current.token !== token) return state;
  return ended(state, current, came, now);
}

/** What comes due while a tick runs: it is recorded as walked away, or the tick is asked to stop, or it waits. */
export function overlap(state: ScheduleState, now: number, { cadence, ifStillRunning }: Rules): ScheduleState {
  const { current, handledUntil, paused } = state;
  if (current === null || paused !== null || ifStillRunning === "after-it") return state;
  const newest = cadence.newest(now);
  // what had waited already when the run was taken up is not in its way: it is caught up after it
  if (newest === null || newest <= Math.max(handledUntil, current.takenAt)) return state;
  if (ifStillRunning === "stop-it") return state.stop === current.at ? state : { ...state, stop: current.at };
  const first = cadence.next(handledUntil);
  // and what comes due behind those waits too
  if (first === null || first <= current.takenAt) return state;
  const walked = endsOf("walked-away", handledUntil, newest, now, cadence, current.holder);
  return { ...state, handledUntil: newest, ticks: withEnds(state.ticks, walked) };
}

/** From now on no tick starts. */
export function pause(state: ScheduleState, note: Note, now: number): ScheduleState {
  return state.paused === null ? { ...state, paused: { who: note.who, why: note.why, at: now } } : state;
}

/** Ends a pause: what came due in it has one entry, and what waited when it began is missed. */
export function resume(state: ScheduleState, note: Note, now: number, { cadence }: Rules): ScheduleState {
  const { paused, handledUntil } = state;
  if (paused === null) return state;
  const before = Math.max(handledUntil, Math.min(paused.at, now));
  const from = cadence.next(before);
  const newest = cadence.newest(now);
  const left = { ...state, paused: null };
  if (from === null || newest === null || newest < from) return left;
  const missed = missedIn(handledUntil, cadence.newest(before) ?? handledUntil, now, cadence);
  const why = `paused by ${paused.who}: ${paused.why}; resumed by ${note.who}: ${note.why}`;
  const entry = several("paused", from, newest, cadence.count(before, newest), now, null, why);
  return { ...left, handledUntil: newest, ticks: withEnds(state.ticks, [...missed, entry]) };
}

/** When something is to be done next; `null`: never. In the past: it is due. */
export function nextAt(state: ScheduleState, now: number, { cadence, catchesUp, atMost }: Rules): number | null {
  const next = cadence.next(state.handledUntil);
  if (next === null || next > now || catchesUp === "newest") return next;
  const newest = cadence.newest(now);
  const isFull = state.caughtUp !== null && state.caughtUp.newest === newest && state.caughtUp.ticks >= atMost;
  return isFull ? cadence.next(now) : next;
}

/** What an earlier holder left unfinished: it is taken up, or has its end where it cannot be. */
function takeUp(state: ScheduleState, now: number, holder: Holder, { retentionMs }: Rules): ScheduleState {
  const { current, stop } = state;
  if (current === null || current.token === holder.token) return state;
  if (stop === current.at) return ended(state, current, { is: "stopped", counts: null, why: null }, now);
  if (current.starts >= defaults.operation.resumeAttempts) {
    return ended(state, current, { is: "failed", counts: null, why: `${current.starts} starts without an end` }, now);
  }
  const { at, startedAt, takenAt, starts } = current;
  if (now - takenAt >= retentionMs) {
    return ended(state, current, { is: "failed", counts: null, why: "left for longer than its retention" }, now);
  }
  return {
    ...state,
    current: { at, token: holder.token, startedAt, takenAt: now, holder: holder.name, starts: starts + 1 },
  };
}

function started(at: number, now: number, { name, token }: Holder): CurrentTick {
  return { at, token, startedAt: now, takenAt: now, holder: name, starts: 1 };
}

function ended(state: ScheduleState, current: CurrentTick, came: Came, now: number): ScheduleState {
  return { ...state, current: null, stop: null, ticks: withEnds(state.ticks, [endOf(state, current, came, now)]) };
}

/** A tick that has run stays as it ran: its replay was not late, and took no time. */
export function endOf({ ticks }: ScheduleState, current: CurrentTick, came: Came, now: number): EndedTick {
  const { at, startedAt, holder } = current;
  const { is, counts, why, replayed = false } = came;
  const before = replayed ? ticks.find((tick) => tick.at === at && tick.from === null && tick.is === is) : undefined;
  if (before !== undefined) return before;
  return { at, is, from: null, ticks: 1, startedAt, endedAt: now, holder, counts, why };
}

interface Due {
  /** `null`: it is not its turn yet, or all are missed. */
  readonly tick: number | null;
  /** What is due up to here is missed. */
  readonly missedUntil: number;
  readonly caughtUp: ScheduleState["caughtUp"];
}

function dueNow(state: ScheduleState, now: number, { cadence, catchesUp, withinMs, atMost }: Rules): Due | null {
  const { handledUntil, caughtUp } = state;
  const newest = cadence.newest(now);
  if (newest === null || newest <= handledUntil) return null;
  // the oldest instant that may still start
  const oldest = now - withinMs;
  if (catchesUp === "newest") {
    return newest < oldest
      ? { tick: null, missedUntil: newest, caughtUp }
      : { tick: newest, missedUntil: newest - 1, caughtUp };
  }
  const first = cadence.next(Math.max(handledUntil, oldest - 1));
  if (first === null || first > now) return { tick: null, missedUntil: newest, caughtUp };
  const soFar = caughtUp?.newest === newest ? caughtUp.ticks : 0;
  return soFar >= atMost
    ? { tick: null, missedUntil: first - 1, caughtUp }
    : { tick: first, missedUntil: first - 1, caughtUp: { newest, ticks: soFar + 1 } };
}

function missedIn(after: number, until: number, now: number, cadence: Cadence): readonly EndedTick[] {
  return endsOf("missed", after, until, now, cadence, null);
}

/** One entry for each tick after `after` up to `until`; of many, one for all. */
function endsOf(
  is: TickResult,
  after: number,
  until: number,
  now: number,
  cadence: Cadence,
  holder: string | null,
): readonly EndedTick[] {
  const { listedMissed } = defaults.schedule;
  const ends: EndedTick[] = [];
  for (let tick = cadence.next(after); tick !== null && tick <= until; tick = cadence.next(tick)) {
    if (ends.length === listedMissed) {
      const last = cadence.newest(until) ?? tick;
      return [several(is, ends[0]?.at ?? tick, last, cadence.count(after, until), now, holder, null)];
    }
    ends.push({ at: tick, is, from: null, ticks: 1, startedAt: null, endedAt: now, holder, counts: null, why: null });
  }
  return ends;
}

function several(
  is: TickResult,
  from: number,
  at: number,
  ticks: number | null,
  now: number,
  holder: string | null,
  why: string | null,
): EndedTick {
  return { at, is, from: from === at ? null : from, ticks, startedAt: null, endedAt: now, holder, counts: null, why };
}
