import { newAttemptId } from "../base/names.ts";
import type { Intervention, Note } from "../contract/ledger.ts";
import { finish, noteAttempt, reopen, reopenIfAnswered, type Work } from "./work.ts";

/** Carries out a person's decision. False: the work is in another state than it is for. */
export function intervene(work: Work, now: number, intervention: Intervention, { who, why }: Note): boolean {
  if (intervention.does === "release") {
    if (work.state !== "running" || work.token !== intervention.token) return false;
    noteAttempt(work, "revoked", now, why, who);
    // with another attempt's id nothing that the owner still writes carries the fence
    Object.assign(work, { state: "open", attempt: newAttemptId(), notBefore: 0, leaseUntil: now });
    return true;
  }
  if (intervention.does === "cancel") {
    const isGoing = work.state === "open" || work.state === "running";
    if (!isGoing || work.input === null || work.cancelled) return false;
    noteAttempt(work, "cancelled", now, why, who);
    // nothing is to be waited for any more
    Object.assign(work, { cancelled: true, notBefore: 0 });
    return true;
  }
  if (work.state !== "unknown") return false;
  switch (intervention.does) {
    case "settle":
      noteAttempt(work, "settled", now, why, who);
      finish(work, now, intervention.outcome, intervention.refused, intervention.keepMs);
      return true;
    case "answer": {
      const effect = work.effects.get(intervention.effect);
      if (effect === undefined || effect.answer !== null) return false;
      noteAttempt(work, "answered", now, why, who);
      Object.assign(effect, { answer: intervention.answer, pinnedAt: now });
      reopenIfAnswered(work, now);
      return true;
    }
    case "forget": {
      const effect = work.effects.get(intervention.effect);
      if (effect === undefined || effect.answer !== null) return false;
      noteAttempt(work, "forgotten", now, why, who);
      work.effects.delete(intervention.effect);
      reopenIfAnswered(work, now);
      return true;
    }
    case "reopen":
      noteAttempt(work, "reopened", now, why, who);
      reopen(work, now);
      work.cancelled = false;
      return true;
  }
}
