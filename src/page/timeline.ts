import type { RunHistory } from "../contract/ledger.ts";
import type { Lane, Timeline, TimelineRow, TimelineStep } from "./wire.ts";

/** With more attempts than this, all but the first and the last two share a lane: a hundred lanes tell nothing. */
const attemptLanes = 4;
/** A silence shorter than this needs no row of its own. */
const silenceMs = 1_000;
/** What a person says is one step of the ledger, whose clock may stamp the parts of it a moment apart. */
const sameStepMs = 20;

interface Event extends Omit<TimelineRow, "at" | "kind"> {
  readonly at: number;
  readonly token: number;
}

/**
 * What is recorded of a run, in order, on the ledger's clock, with the question of this library asked of each event: if
 * everything stopped right after it, what would a rerun do? Only what is recorded is told: when a process died is not.
 */
export function timelineOf(history: RunHistory, effects: "database" | "external" | undefined): Timeline {
  const { run } = history;
  const owners = ownersOf(history);
  const nameOf = (token: number) => owners.get(token) ?? "another instance";
  const lanes: Lane[] = [{ kind: "caller", name: "caller", token: null }];
  const laneOfToken = new Map<number, number>();
  for (let token = 1; token <= run.token; token += 1) {
    const own = run.token <= attemptLanes || token === 1 || token > run.token - 2;
    if (!own && token > 2) laneOfToken.set(token, lanes.length - 1);
    else {
      laneOfToken.set(token, lanes.length);
      lanes.push({ kind: "attempt", name: own ? nameOf(token) : "others", token: own ? token : null });
    }
  }
  const ledger = lanes.push({ kind: "ledger", name: "ledger", token: null }) - 1;
  const outside = lanes.push({ kind: "outside", name: "outside", token: null }) - 1;
  const laneOf = (token: number) => laneOfToken.get(token) ?? 1;
  const keep = (token: number): TimelineStep => ({ from: laneOf(token), to: ledger, durable: true });
  const step = (from: number, to: number): TimelineStep => ({ from, to, durable: false });

  if (effects === "database") return { lanes: lanes.slice(0, -1), rows: databaseRows(history, keep(1), step(0, 1)) };

  const said = history.attempts.filter(({ what }) => what === "answered" || what === "forgotten");
  const saidAt = (at: number) => said.some((one) => Math.abs(one.at - at) <= sameStepMs);
  const events: Event[] = [
    {
      at: run.createdAt,
      token: 1,
      steps: [step(0, laneOf(1)), keep(1)],
      what: `**Claimed** by ${nameOf(1)}, token 1`,
      ifStopped: "A rerun claims it again after the lease.",
      bad: false,
    },
  ];
  for (const { effect, kind, startedAt, pinnedAt, token } of history.effects) {
    if (kind === "transaction") {
      events.push({
        at: pinnedAt ?? startedAt,
        token,
        steps: [keep(token)],
        what: `**Transaction**${effect === "transaction" ? "" : ` ${effect}`}: what it wrote and its record committed together`,
        ifStopped: "Either both exist or neither does; a rerun does not repeat it.",
        bad: false,
      });
      continue;
    }
    events.push({
      at: startedAt,
      token,
      steps: [keep(token), step(laneOf(token), outside)],
      what: `Effect **${effect}** written down as **started**, then called`,
      ifStopped:
        "A rerun knows that it may have happened: it repeats it under the same key, asks, or parks, as declared.",
      bad: false,
    });
    // of an answer that a person gave, the row of that decision tells
    if (pinnedAt === null || saidAt(pinnedAt)) continue;
    const answered = tokenAt(history, pinnedAt);
    events.push({
      at: pinnedAt,
      token: answered,
      steps: [step(outside, laneOf(answered)), keep(answered)],
      what: `**${effect}** answered, the answer **pinned**`,
      ifStopped: "A rerun takes the pinned answer and does not call again.",
      bad: false,
    });
  }
  for (const { at, what, owner, token, why } of history.attempts) {
    const because = why === null ? "" : `: ${why}`;
    if (what === "taken-over") {
      events.push({
        at,
        token: token + 1,
        steps: [keep(token + 1)],
        what: `**Taken over** by ${nameOf(token + 1)}, token ${token + 1}. Token ${token} is refused from here`,
        ifStopped: "The next owner takes over the same way.",
        bad: false,
      });
    } else if (what === "released") {
      events.push({
        at,
        token,
        steps: [keep(token)],
        what: `**Given back** by ${owner}${because}`,
        ifStopped: "The next attempt goes on from what is recorded.",
        bad: false,
      });
    } else if (what === "parked") {
      events.push({
        at,
        token,
        steps: [keep(token)],
        what: `**Parked as unknown**${because}`,
        ifStopped: "Nothing runs until a person decides.",
        bad: true,
      });
    } else if (what === "reopened" && why === null) {
      events.push({
        at,
        token,
        ...(saidAt(at)
          ? { steps: [keep(token)], what: "No answer is missing: **open again**" }
          : { steps: [step(outside, laneOf(token)), keep(token)], what: "A late answer arrived: **open again**" }),
        ifStopped: "The next attempt goes on from what is recorded.",
        bad: false,
      });
    } else {
      events.push({
        at,
        token,
        steps: [keep(token)],
        what: `${decided[what]}${what === "settled" && run.refused === true ? ", as refused," : ""} by ${owner}${because}`,
        ...after(what),
      });
    }
  }
  // nobody ran to the end of what a person settled, and nobody was told
  const settled = history.attempts.some(({ what }) => what === "settled");
  if (run.state === "done" && run.endedAt !== null && !settled) {
    events.push({
      at: run.endedAt,
      token: run.token,
      steps: [keep(run.token), step(laneOf(run.token), 0)],
      what: run.refused === true ? "**Completed**: refused, as declared" : "**Completed**: done",
      ifStopped: "Every rerun gets this outcome back.",
      bad: false,
    });
  }
  events.sort((a, b) => a.at - b.at);
  return { lanes, rows: [...withSilences(events, nameOf), ...standing(history, laneOf)] };
}

/** What a person did. */
const decided = {
  revoked: "**Taken from its owner**",
  cancelled: "**No longer wanted**, said",
  reopened: "**Opened again**",
  settled: "**Settled**",
  answered: "**Answered**",
  forgotten: "**Said never to have happened**",
} as const;

function after(what: keyof typeof decided): { readonly ifStopped: string; readonly bad: false } {
  const ifStopped =
    what === "settled" ? "Every rerun gets this outcome back." : "The next attempt goes on from what is recorded.";
  return { ifStopped, bad: false };
}

/** Claim, work and outcome are one commit: there is nothing in between that could be recorded. */
function databaseRows({ run }: RunHistory, keep: TimelineStep, asked: TimelineStep): readonly TimelineRow[] {
  const outcome = run.refused === true ? "refused, as declared" : "done";
  return [
    {
      at: run.endedAt ?? run.createdAt,
      kind: "event",
      steps: [asked, keep],
      what: `**Claimed, run and recorded** by ${run.owner} in one transaction: ${outcome}`,
      ifStopped: "Every rerun gets this outcome back. Before the commit, nothing had happened.",
      bad: false,
    },
  ];
}

function withSilences(events: readonly Event[], nameOf: (token: number) => string): TimelineRow[] {
  const rows: TimelineRow[] = [];
  let before: Event | undefined;
  for (const { token, ...event } of events) {
    const silent = before === undefined ? 0 : event.at - before.at;
    if (
      before !== undefined &&
      before.token < token &&
      silent >= silenceMs &&
      event.what.startsWith("**Taken over**")
    ) {
      rows.push({
        at: null,
        kind: "silence",
        steps: [],
        what: `Nothing more from ${nameOf(before.token)}; its lease ran out on the ledger's clock`,
        ifStopped: "",
        bad: true,
      });
    }
    rows.push({ ...event, kind: "event" });
    before = { token, ...event };
  }
  return rows;
}

/** Where it stands, when it has not ended. */
function standing({ run }: RunHistory, laneOf: (token: number) => number): readonly TimelineRow[] {
  if (run.state !== "running" && run.state !== "open") return [];
  const lane = laneOf(run.token);
  return [
    {
      at: null,
      kind: "now",
      steps: [{ from: lane, to: lane, durable: false }],
      what: run.state === "running" ? `**Under way** at ${run.owner}` : "**Open**: it waits for the next attempt",
      ifStopped: run.state === "running" ? "The next attempt takes over when the lease is out." : "The same.",
      bad: false,
    },
  ];
}

/** An attempt's record names the owner that it ended; the run names the last one. */
function ownersOf({ run, attempts }: RunHistory): ReadonlyMap<number, string> {
  const ended = attempts.filter(({ what }) => !Object.hasOwn(decided, what));
  const owners = new Map(ended.map(({ token, owner }) => [token, owner]));
  return owners.set(run.token, run.owner);
}

/** Whose turn it was at that time, as far as it is recorded. */
function tokenAt({ run, attempts, effects }: RunHistory, at: number): number {
  const begun = [
    ...attempts.filter(({ what }) => what === "taken-over").map((one) => ({ at: one.at, token: one.token + 1 })),
    ...effects.map(({ startedAt, token }) => ({ at: startedAt, token })),
  ];
  const tokens = begun.filter((one) => one.at <= at).map(({ token }) => token);
  return Math.min(run.token, Math.max(1, ...tokens));
}
