import { setTimeout as pause } from "node:timers/promises";
import { defaults } from "../../base/defaults.ts";
import { type AttemptId, newAttemptId, type WorkId } from "../../base/names.ts";
import type {
  Acceptance,
  AcceptRequest,
  Claim,
  ClaimRequest,
  EffectRecord,
  Fence,
  FindRequest,
  Mismatch,
  Open,
  Won,
  WorkRequest,
} from "../../contract/ledger.ts";
import { effectRecord, holds, noteAttempt } from "../work.ts";
import { type Document, decode, encode, type Kept, newDocument, newIdOf } from "./document.ts";
import type { ItemLedger } from "./ledger.ts";
import { leftUntil, type Moment } from "./store-clock.ts";
import { told, written } from "./works.ts";

const { unboundedRetryMs } = defaults.ledger;

/** Takes the work for the request's attempt. */
export async function claimWork(ledger: ItemLedger, request: ClaimRequest, signal: AbortSignal): Promise<Claim> {
  const { name, attempt, leaseMs, input, resuming } = request;
  const { works, due } = ledger;
  // what keeps its input is entered in a list before: not for work that stands already
  let mayBegin = input === null && !resuming;
  for (;;) {
    const begun = mayBegin ? await beginWork(ledger, request, signal) : null;
    if (begun !== null) return begun;
    const stands = await standing(ledger, request, attempt, signal);
    mayBegin = stands === null;
    if (stands === null || stands.is === "again") continue;
    if (stands.is === "mismatch") return stands.mismatch;

    const restamp = (work: Document, { latest }: Moment) => {
      work.leaseUntil = latest + leaseMs;
    };
    const taken = await works.change<Claim | "again">(
      name,
      async (work, moment) => {
        if (work.id !== stands.work.id) return told("again");
        const answer = stored(work, moment, attempt);
        if (answer !== undefined) return told(answer);
        const effects = effectRecords(work, moment);
        const isRepeated = work.state === "running" && work.attempt === attempt;
        const tookOver = work.state === "running" && !isRepeated;
        if (!isRepeated) {
          if (tookOver) noteAttempt(work, "taken-over", moment.latest, null);
          work.input ??= input;
          if (work.input !== null && !work.isListed) {
            await due.put(work, moment.latest + leaseMs, signal);
            work.isListed = true;
          }
          work.attempt = attempt;
          work.token += 1;
          work.resumes += resuming ? 1 : 0;
          work.state = "running";
          work.notBefore = 0;
          work.about = { ...work.about, owner: request.about.owner };
        }
        restamp(work, moment);
        return written(wonOf(work, tookOver, effects), restamp);
      },
      signal,
      stands.kept,
    );
    if (taken === null || taken.answer === "again") continue;
    if (taken.answer.is === "won") works.hold(attempt, taken.kept);
    return taken.answer;
  }
}

/** `null`: it stands already. */
async function beginWork(ledger: ItemLedger, request: ClaimRequest, signal: AbortSignal): Promise<Claim | null> {
  const { works, due, keys, clock } = ledger;
  const { name, key, attempt, leaseMs, input } = request;
  const [moment, jumps] = [clock.moment(), clock.jumps()];
  const leaseUntil = moment.latest + leaseMs;
  const isListed = input !== null;
  const beginning = { id: newIdOf(name), attempt, state: "running", leaseUntil, input, isListed, by: attempt } as const;
  const work = newDocument(request, moment, beginning);
  if (isListed) await due.put(work, leaseUntil, signal);
  const kept = await works.insert(work, signal);
  if (kept === null) return null;
  works.hold(attempt, kept);
  const won = wonOf(work, false, []);
  if (key !== null) {
    if (!(await keys.take(key, name, signal))) {
      // nothing of it happened, and nobody was told that it was won
      await ledger.discard(won.fence, signal);
      return { is: "mismatch", firstSeen: null };
    }
    // written down with whatever is written next
    work.keys.set(key, null);
    works.hold(attempt, { ...kept, text: encode(work).text });
  }
  if (jumps === clock.jumps()) return won;
  const renewed = await works.changeOwn(
    won.fence,
    (own, { latest }) => {
      own.leaseUntil = latest + leaseMs;
      return written(true);
    },
    signal,
  );
  return renewed === null ? null : won;
}

/** Writes the work down as nobody's yet, or tells what stands. */
export async function acceptWork(ledger: ItemLedger, request: AcceptRequest, signal: AbortSignal): Promise<Acceptance> {
  const { ids, clock } = ledger;
  const { id } = request;
  for (let isIntroduced = false; ; ) {
    const stands = await standing(ledger, request, id, signal);
    if (stands === null) {
      isIntroduced = true;
      const accepted = await writeDown(ledger, request, signal);
      if (accepted !== null) return accepted;
      continue;
    }
    if (stands.is === "again") continue;
    if (isIntroduced && (stands.is === "mismatch" || stands.work.id !== id)) await ids.forget(id, signal);
    if (stands.is === "mismatch") return stands.mismatch;
    const { createdAt: since, state, input } = stands.work;
    const waiting = { is: "running", since, retryAfterMs: unboundedRetryMs } as const;
    if (state !== "open" && state !== "running") return stored(stands.work, clock.moment(), null) ?? waiting;
    // of running work without an input no lease tells how long a worker would wait
    if (input === null) return waiting;
    return { is: "accepted", id: stands.work.id, since, isNew: stands.work.id === id };
  }
}

/** `null`: it stands already. */
async function writeDown(ledger: ItemLedger, request: AcceptRequest, signal: AbortSignal): Promise<Acceptance | null> {
  const { works, due, ids, keys, clock, deadlineMs } = ledger;
  const { id, name, key, input } = request;
  const { earliest, latest } = clock.moment();
  const attempt = newAttemptId();
  // nobody's from the first, unless it has to give way to another that has its key: until then it is this call's
  const [state, leaseUntil] =
    key === null ? (["open", earliest] as const) : (["running", latest + deadlineMs] as const);
  const beginning = { id, attempt, state, leaseUntil, input, isListed: true, by: attempt };
  const work = newDocument(request, { earliest, latest }, beginning);
  await Promise.all([ids.introduce(id, name, signal), due.put(work, earliest, signal)]);
  const kept = await works.insert(work, signal);
  if (kept === null) return null;
  if (key !== null) {
    const fence = { name, id, attempt };
    if (!(await keys.take(key, name, signal))) {
      await ledger.discard(fence, signal);
      return { is: "mismatch", firstSeen: null };
    }
    await works.change(
      name,
      (own, moment) => {
        if (!holds(own, fence)) return told(null);
        own.keys.set(key, null);
        own.state = "open";
        own.leaseUntil = moment.earliest;
        return written(null);
      },
      signal,
      kept,
    );
  }
  return { is: "accepted", id, since: work.createdAt, isNew: true };
}

export async function findWork(
  ledger: ItemLedger,
  { name, key, print }: FindRequest,
  signal: AbortSignal,
): Promise<Exclude<Claim, Won> | Open | null> {
  const { works, keys, clock } = ledger;
  const kept = await works.read(name, signal);
  const work = kept === null ? null : decode(kept.text);
  if (key !== null && work?.keys.get(key) !== null) {
    const owner = await keys.ownerOf(key, name, signal);
    if (owner !== null && owner !== name) return { is: "mismatch", firstSeen: null };
  }
  const moment = clock.moment();
  if (work === null || (await ledger.isOver(work, moment, signal))) return null;
  if (!isSamePrint(work, { print })) return { is: "mismatch", firstSeen: work.createdAt };
  return stored(work, moment, null) ?? { is: "open", since: work.createdAt, retryAfterMs: 0 };
}

type Standing =
  | { readonly is: "mismatch"; readonly mismatch: Mismatch }
  /** It changed meanwhile. */
  | { readonly is: "again" }
  | { readonly is: "work"; readonly work: Document; readonly kept: Kept };

/** What stands under the request's names, with its key bound to it. `null`: nothing, or nothing any more. */
async function standing(
  ledger: ItemLedger,
  request: WorkRequest,
  by: AttemptId | WorkId,
  signal: AbortSignal,
): Promise<Standing | null> {
  const { works, keys, clock } = ledger;
  const { name, key } = request;
  for (let waits = 0; ; waits++) {
    const kept = await works.read(name, signal);
    if (kept === null) return null;
    const work = decode(kept.text);
    const moment = clock.moment();
    if (await ledger.isOver(work, moment, signal)) {
      await ledger.clear(work, kept, signal);
      return null;
    }
    if (!isSamePrint(work, request)) return mismatch(work.createdAt);
    const taker = key === null ? null : work.keys.get(key);
    if (key === null || taker === null) return { is: "work", work, kept };
    // a running attempt is about to take it, or gives way to another's work and is gone; unless it crashed just there
    const isAwaited = taker === work.attempt && taker !== by && isRunning(work, moment) && waits < keyLooks;
    if (!isAwaited) return (await keys.bind(request, by, signal)) === false ? mismatch(null) : { is: "again" };
    const owner = await keys.ownerOf(key, name, signal);
    if (owner === name) return { is: "work", work, kept };
    if (owner !== null) return mismatch(null);
    await pause(keyLookMs, undefined, { signal });
  }
}

const { keyLooks, keyLookMs } = defaults.items;

function mismatch(firstSeen: number | null): Standing {
  return { is: "mismatch", mismatch: { is: "mismatch", firstSeen } };
}

function isRunning(work: Document, { earliest }: Moment): boolean {
  return work.state === "running" && work.leaseUntil > earliest;
}

/** What is answered without running; `undefined`: the work can be taken. */
function stored(
  work: Document,
  moment: Moment,
  attempt: ClaimRequest["attempt"] | null,
): Exclude<Claim, Won> | undefined {
  const since = work.createdAt;
  switch (work.state) {
    case "done":
      return { is: "done", outcome: work.outcome, at: work.endedAt ?? since };
    case "unknown":
      return { is: "unknown", effect: work.effect, since: work.endedAt ?? since };
    case "running":
    case "open": {
      if (work.state === "running" && work.attempt === attempt) return undefined;
      const retryAfterMs = leftUntil(work.state === "running" ? work.leaseUntil : work.notBefore, moment);
      return retryAfterMs > 0 ? { is: "running", since, retryAfterMs } : undefined;
    }
  }
}

export function effectRecords(work: Document, moment: Moment): readonly EffectRecord[] {
  return [...work.effects].map(([name, effect]) => ({
    ...effectRecord(name, effect, moment.latest),
    settlesInMs: leftUntil(effect.settleAt, moment),
  }));
}

function wonOf(work: Document, tookOver: boolean, effects: readonly EffectRecord[]): Won {
  const { name, id, attempt, token, resumes, cancelled } = work;
  const fence: Fence = { name, id, attempt };
  return { is: "won", fence, token, resumes, tookOver, cancelled, effects };
}

function isSamePrint(work: Document, { print }: Pick<FindRequest, "print">): boolean {
  return work.print.hash === print.hash && work.print.version === print.version;
}
