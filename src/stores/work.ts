import type { AttemptId, Name, WorkId } from "../base/names.ts";
import type {
  AttemptRecord,
  EffectRecord,
  Fence,
  Fingerprint,
  Progress,
  RunState,
  RunSummary,
  Standing,
  WorkAbout,
} from "../contract/ledger.ts";

/** One piece of work and all that hangs on it, as the ledgers hold it that change it in this process. */
export interface Work {
  readonly name: Name;
  readonly id: WorkId;
  readonly print: Fingerprint;
  readonly createdAt: number;
  readonly parent: Name | null;
  readonly intent: Name | null;
  readonly effects: Map<string, Effect>;
  readonly attempts: AttemptRecord[];
  about: WorkAbout;
  attempt: AttemptId;
  token: number;
  resumes: number;
  state: RunState;
  leaseUntil: number;
  notBefore: number;
  outcome: string;
  refused: boolean;
  keepUntil: number;
  endedAt: number | null;
  input: string | null;
  /** The effect it is parked for. */
  effect: string;
  progress: Progress | null;
  cancelled: boolean;
  why: string | null;
}

export interface Effect {
  readonly kind: EffectRecord["kind"];
  readonly startedAt: number;
  readonly token: number;
  settleAt: number;
  pinnedAt: number | null;
  answer: string | null;
}

export function isExpired(work: Work, now: number): boolean {
  return work.state === "done" && work.keepUntil <= now;
}

/** Whether it is the fence's still. */
export function holds<W extends Work>(work: W | undefined, fence: Fence): work is W {
  return work?.id === fence.id && work.attempt === fence.attempt && work.state === "running";
}

/** Whether nobody is at it. */
export function isDue(work: Work, now: number): boolean {
  return work.state === "running"
    ? work.leaseUntil <= now
    : work.state === "open" && Math.max(work.leaseUntil, work.notBefore) <= now;
}

export function startedEffects(work: Work): readonly string[] {
  return [...work.effects].filter(([, effect]) => effect.answer === null).map(([name]) => name);
}

/** Whether an outcome would answer over an effect that is open, or that was not visited. */
export function passesOver(work: Work, visited: readonly string[]): boolean {
  return startedEffects(work).length > 0 || [...work.effects.keys()].some((effect) => !visited.includes(effect));
}

/** `by`: the person who decided it; else it was the owner. */
export function noteAttempt(
  work: Work,
  what: AttemptRecord["what"],
  at: number,
  why: string | null,
  by: string = work.about.owner,
): void {
  work.attempts.push({ at, what, owner: by, token: work.token, why });
}

export function finish(work: Work, now: number, outcome: string, refused: boolean, keepMs: number): void {
  Object.assign(work, {
    state: "done",
    outcome,
    refused,
    endedAt: now,
    // a further key may have promised more
    keepUntil: Math.max(work.keepUntil, now + keepMs),
    input: null,
    why: null,
  } satisfies Partial<Work>);
}

export function reopen(work: Work, now: number): void {
  Object.assign(work, {
    state: "open",
    resumes: 0,
    notBefore: 0,
    leaseUntil: now,
    endedAt: null,
    effect: "",
    why: null,
  });
}

/** Parked work whose last open effect was pinned needs no person any more. */
export function reopenIfAnswered(work: Work, now: number): void {
  if (work.state !== "unknown" || startedEffects(work).length > 0) return;
  noteAttempt(work, "reopened", now, null);
  reopen(work, now);
}

export function parkWork(work: Work, now: number, effect: string, why: string): void {
  noteAttempt(work, "parked", now, why);
  Object.assign(work, { state: "unknown", effect, why, endedAt: now } satisfies Partial<Work>);
}

export function effectRecord(name: string, effect: Effect, now: number): EffectRecord {
  return {
    effect: name,
    kind: effect.kind,
    state: effect.answer === null ? "started" : "pinned",
    startedAt: effect.startedAt,
    pinnedAt: effect.pinnedAt,
    settlesInMs: effect.settleAt - now,
    answer: effect.answer,
    token: effect.token,
  };
}

export function effectRecords(work: Work, now: number): readonly EffectRecord[] {
  return [...work.effects].map(([name, effect]) => effectRecord(name, effect, now));
}

export function runSummary(work: Work): RunSummary {
  return {
    ...work.about,
    id: work.id,
    state: work.state,
    refused: work.state === "done" ? work.refused : null,
    createdAt: work.createdAt,
    endedAt: work.endedAt,
    leaseUntil: work.state === "running" ? work.leaseUntil : null,
    keepUntil: work.keepUntil,
    token: work.token,
    print: work.print,
    why: work.why,
    progress: work.progress,
    cancelled: work.cancelled,
  };
}

export function standingOf(work: Work): Standing {
  const { operation } = work.about;
  const since = work.endedAt ?? work.createdAt;
  switch (work.state) {
    case "done":
      return { operation, is: "done", outcome: work.outcome, at: since };
    case "unknown":
      return { operation, is: "unknown", effect: work.effect, since };
    default: {
      const { createdAt, cancelled, progress } = work;
      return { operation, is: "going", since: createdAt, running: work.state === "running", cancelled, progress };
    }
  }
}
