import type { CacheSettings } from "./check.ts";
import type { Flight } from "./flights.ts";
import { anyTag } from "./memory/groups.ts";
import { phase, type Slots } from "./memory/slots.ts";
import type { Source } from "./sources.ts";

/**
 * What a read of a scope would do now, and why, in numbers and without the value. Times are milliseconds from now; a
 * negative one is past.
 */
export interface Explanation {
  readonly would:
    | "answer-fresh"
    /** …and begin a load ahead of expiry. */
    | "answer-fresh-and-refresh"
    /** …and load behind it, unless a load is under way or has just failed. */
    | "answer-stale"
    /** Wait for the load under way until the soft deadline, then be served stale. */
    | "wait-softly"
    | "wait-for-load"
    | "load"
    | "reject";
  /** One sentence for each thing that decides it. */
  readonly because: readonly string[];
  readonly entry:
    | {
        readonly state: "fresh" | "stale" | "outlived";
        readonly ageMs: number;
        readonly freshForMs: number;
        readonly staleForMs: number;
        /** When a read would begin a load ahead of expiry; `null`: not decided, or not before expiry. */
        readonly earlyInMs: number | null;
        readonly reads: number;
        readonly tags: readonly string[];
      }
    | undefined;
  readonly load:
    | {
        readonly state: "pending" | "queued" | "running" | "overdue";
        readonly runningMs: number | null;
        readonly readers: number;
      }
    | undefined;
}

interface Situation {
  readonly now: number;
  readonly slots: Slots;
  readonly place: number | undefined;
  readonly flight: Flight | undefined;
  readonly waiting: number;
  readonly settings: CacheSettings;
  readonly source: Source | undefined;
  readonly isWritten: boolean;
  readonly isClosed: boolean;
  readonly loadMs: number;
  readonly keeps: boolean;
}

export function explain(situation: Situation): Explanation {
  const { now, slots, place, flight } = situation;
  const entry = place === undefined || !slots.has(place) ? undefined : entryOf(now, slots, place);
  const load =
    flight === undefined
      ? undefined
      : {
          state: flight.state === "settled" ? ("overdue" as const) : flight.state,
          runningMs: Number.isNaN(flight.began) ? null : now - flight.began,
          readers: flight.readers,
        };
  return { ...decide(situation, entry, load), entry, load };
}

function entryOf(now: number, slots: Slots, place: number): NonNullable<Explanation["entry"]> {
  const fresh = slots.freshUntil(place);
  const stale = slots.staleUntil(place);
  const isDrawn = slots.phases[place] === phase.drawn;
  return {
    state: now < fresh ? "fresh" : now < stale ? "stale" : "outlived",
    ageMs: slots.age(place, now),
    freshForMs: fresh - now,
    staleForMs: stale - now,
    earlyInMs: isDrawn ? slots.calmUntil(place) - now : null,
    reads: slots.reads(place),
    tags: (slots.attachments.get(place)?.known?.tags ?? []).filter((tag) => tag !== anyTag),
  };
}

function decide(
  { now, slots, place, flight, waiting, settings, source, isWritten, isClosed, loadMs, keeps }: Situation,
  entry: Explanation["entry"],
  load: Explanation["load"],
): Pick<Explanation, "would" | "because"> {
  const because: string[] = [];
  const say = (would: Explanation["would"], ...sentences: readonly string[]) => ({
    would,
    because: [...because, ...sentences],
  });
  if (isWritten) because.push("A write of this scope is under way: what is loaded meanwhile is not stored.");
  if (!keeps) because.push("This cache keeps nothing.");
  const pending = place === undefined ? undefined : slots.pending.get(place);
  const backsOffMs = (pending?.retryAt ?? now) - now;

  const isCrowded = settings.queueMost !== undefined && waiting >= settings.queueMost;
  const crowded = `${waiting} reads wait already, and the queue holds ${settings.queueMost}.`;

  if (entry?.state === "fresh") {
    because.push(`Memory holds a value that is fresh for ${inTime(entry.freshForMs)} more.`);
    if (entry.earlyInMs !== null && entry.earlyInMs <= 0 && load === undefined) {
      return say("answer-fresh-and-refresh", `Loads take ${inTime(loadMs)}: it is time to begin one ahead of expiry.`);
    }
    return say("answer-fresh");
  }
  if (entry?.state === "stale") {
    because.push(`Memory holds a value that may be served stale for ${inTime(entry.staleForMs)} more.`);
    if (backsOffMs > 0)
      return say("answer-stale", `The last load failed; the next may begin in ${inTime(backsOffMs)}.`);
    if (load?.state === "overdue") return say("answer-stale", "A load passed its deadline and has not returned yet.");
    if (isClosed) return say("answer-stale", "The cache is closed: no load begins behind it.");
    if (settings.softMs !== undefined) {
      if (!isCrowded) return say("wait-softly", `For ${inTime(settings.softMs)} at most.`);
      return say(settings.queueThen === "stale" ? "answer-stale" : "reject", crowded);
    }
    return say("answer-stale", load === undefined ? "A load begins behind it." : "A load is under way already.");
  }
  if (entry === undefined) because.push("Memory holds no value.");
  else because.push(`The value in memory outlived its window ${inTime(-entry.staleForMs)} ago.`);
  if (backsOffMs > 0) return say("reject", `The last load failed; the source is asked again in ${inTime(backsOffMs)}.`);
  if (isClosed) return say("reject", "The cache is closed: no load begins.");
  if (isCrowded) return say("reject", crowded);
  if (load?.state === "overdue") {
    return say("reject", "A load passed its deadline and has not returned yet: none is begun beside it.");
  }
  if (flight !== undefined)
    return say("wait-for-load", `A load is ${load?.state}, and ${flight.readers} reads wait for it.`);
  if (source !== undefined && source.running() >= source.most) {
    return say("load", `It waits: ${source.running()} loads of source '${source.name}' run, the most there may be.`);
  }
  return say("load", "No load of it is under way.");
}

function inTime(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
