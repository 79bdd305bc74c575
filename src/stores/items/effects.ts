import type { WorkId } from "../../base/names.ts";
import type { EffectStart, Fence, Pinned, Progress, Started } from "../../contract/ledger.ts";
import { reopenIfAnswered } from "../work.ts";
import { effectRecords } from "./claim.ts";
import type { Document } from "./document.ts";
import type { ItemLedger } from "./ledger.ts";
import type { Moment } from "./store-clock.ts";
import { told, written } from "./works.ts";

export async function renewLease(
  { works }: ItemLedger,
  fence: Fence,
  leaseMs: number,
  progress: Progress | null,
  signal: AbortSignal,
): Promise<"renewed" | "cancelled" | "fenced"> {
  const extend = (work: Document, { latest }: Moment) => {
    work.leaseUntil = latest + leaseMs;
  };
  const renewed = await works.changeOwn<"renewed" | "cancelled">(
    fence,
    (work, moment) => {
      extend(work, moment);
      work.progress = progress ?? work.progress;
      return written(work.cancelled ? "cancelled" : "renewed", extend);
    },
    signal,
  );
  return renewed ?? "fenced";
}

export async function startEffect(
  { works, due }: ItemLedger,
  fence: Fence,
  { effect, settleMs }: EffectStart,
  signal: AbortSignal,
): Promise<Started> {
  const settle = settling(effect, settleMs);
  const started = await works.changeOwn<Started>(
    fence,
    async (work, moment) => {
      if (work.effects.has(effect)) {
        const record = effectRecords(work, moment).find((one) => one.effect === effect);
        if (record !== undefined) return told({ is: "present", record });
      }
      if (!work.isListed) {
        await due.put(work, work.leaseUntil, signal);
        work.isListed = true;
      }
      const { latest } = moment;
      const { token } = work;
      const settleAt = latest + settleMs;
      work.effects.set(effect, { kind: "effect", startedAt: latest, token, settleAt, pinnedAt: null, answer: null });
      return written({ is: "started" }, settle);
    },
    signal,
  );
  return started ?? { is: "fenced" };
}

export async function restartEffect(
  { works }: ItemLedger,
  fence: Fence,
  { effect, settleMs }: EffectStart,
  signal: AbortSignal,
): Promise<boolean> {
  const settle = settling(effect, settleMs);
  const restarted = await works.changeOwn(
    fence,
    (work, moment) => {
      if (work.effects.get(effect)?.answer !== null) return told(false);
      settle(work, moment);
      return written(true, settle);
    },
    signal,
  );
  return restarted ?? false;
}

export async function pinEffect(
  ledger: ItemLedger,
  id: WorkId,
  effect: string,
  answer: string,
  signal: AbortSignal,
): Promise<Pinned> {
  const { works, ids } = ledger;
  const name = await ids.nameOf(id, signal);
  if (name === null) return { is: "gone" };
  const pinned = await works.change<Pinned>(
    name,
    async (work, moment) => {
      const present = work.id === id ? work.effects.get(effect) : undefined;
      if (present === undefined) return told({ is: "gone" });
      if (present.answer !== null) return told({ is: "present", answer: present.answer });
      Object.assign(present, { answer, pinnedAt: moment.latest });
      await afterOpening(ledger, work, moment, signal, () => reopenIfAnswered(work, moment.latest));
      return written({ is: "pinned" });
    },
    signal,
  );
  return pinned?.answer ?? { is: "gone" };
}

/** Of what may become open: then it is due, and its entry in the list says so. */
export async function afterOpening<T>(
  { due }: ItemLedger,
  work: Document,
  { earliest }: Moment,
  signal: AbortSignal,
  change: () => T,
): Promise<T> {
  const before = { state: work.state, cancelled: work.cancelled };
  const answer = change();
  const isOpened = work.state === "open" && before.state !== "open";
  // known to be past: nobody waits for what the clock is not sure of
  if (isOpened) work.leaseUntil = earliest;
  const isHastened = isOpened || (work.cancelled && !before.cancelled);
  if (isHastened && work.isListed) await due.put(work, earliest, signal);
  return answer;
}

/** Never sooner than it was: the call that was started first may still be on its way. */
function settling(effect: string, settleMs: number): (work: Document, moment: Moment) => void {
  return (work, { latest }) => {
    const present = work.effects.get(effect);
    if (present !== undefined) present.settleAt = Math.max(present.settleAt, latest + settleMs);
  };
}
