import { administer } from "../admin/administration.ts";
import type { LetterChoice } from "../admin/consumers.ts";
import type { JobVerb } from "../admin/job-choices.ts";
import { tickRow } from "../admin/schedule-rows.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Note } from "../contract/ledger.ts";
import type { DeadLetterReason } from "../contract/source.ts";
import type { LoadReconciliation } from "../load/surface.ts";
import type { Inside } from "../observe/inside.ts";
import { labelOf } from "../operation/endings.ts";
import { refused } from "./answers.ts";
import type { AskedJob, JobEnd, JobKind } from "./wire.ts";

/** What a person has done with a load, a schedule or a consumer, in this process: of each the last thing, and one at a time. */
export interface Acting {
  readonly asked: (kind: JobKind, name: string) => AskedJob | null;
  /** Begins it, and waits for its end as long as whoever asked does. Why it was not begun; `undefined`: it was. */
  readonly act: (kind: JobKind, name: string, body: Readonly<Record<string, unknown>>) => Promise<Response | undefined>;
}

type Act = () => Promise<JobEnd>;

export function actingOf(reprise: { readonly "~inside": Inside }): Acting {
  const inside = reprise["~inside"];
  const { loads, schedules, consumers } = administer(reprise);
  const last = new Map<string, AskedJob>();
  const key = (kind: JobKind, name: string) => `${kind} ${name}`;
  const now = () => inside.clock().now();

  const loadAct = (name: string, does: unknown, body: Readonly<Record<string, unknown>>): Act | undefined => {
    const range = { from: boundIn(body["from"]), to: boundIn(body["to"]) };
    switch (does) {
      case "run":
        return async () => ({ is: "load-ran", result: await loads.run(name, range) });
      case "preview":
        return async () => ({ is: "load-previewed", preview: await loads.preview(name, range) });
      case "reconcile":
        return async () => ({
          is: "load-compared",
          reconciliation: withoutKeys(await loads.reconcile(name, { ...range, list: 0 })),
        });
      default:
        return undefined;
    }
  };
  const scheduleAct = (name: string, does: unknown, note: Note): Act | undefined => {
    switch (does) {
      case "run":
        return async () => {
          const ended = await schedules.run(name);
          return ended.is === "held"
            ? { is: "tick-held", holder: ended.holder }
            : { is: "tick-ran", tick: tickRow(ended) };
        };
      case "pause":
        return async () => ({ is: "paused", changed: await schedules.pause(name, note) });
      case "resume":
        return async () => ({ is: "resumed", changed: await schedules.resume(name, note) });
      default:
        return undefined;
    }
  };

  const consumerAct = (name: string, does: unknown, body: Readonly<Record<string, unknown>>): Act | undefined => {
    const choice = choiceIn(body);
    switch (does) {
      case "redrive":
        return async () => ({ is: "redriven", counts: await consumers.redrive(name, choice) });
      case "discard":
        return async () => ({ is: "discarded", counts: await consumers.discard(name, choice) });
      default:
        return undefined;
    }
  };
  const actOf = (kind: JobKind, name: string, body: Readonly<Record<string, unknown>>): Act | undefined => {
    const { does, who = "", why = "" } = body;
    switch (kind) {
      case "load":
        return loadAct(name, does, body);
      case "schedule":
        return scheduleAct(name, does, { who: String(who), why: String(why) });
      case "consumer":
        return consumerAct(name, does, body);
    }
  };

  return {
    asked: (kind, name) => last.get(key(kind, name)) ?? null,
    act: async (kind, name, body) => {
      const { does } = body;
      const act = actOf(kind, name, body);
      if (act === undefined) return refused(400, "decision", "Nothing was done. This is nothing that can be done.");
      if (last.get(key(kind, name))?.ended === null) {
        return refused(409, "busy", "Nothing was begun: what was asked for here before is still under way.");
      }
      const asked = { does: does as JobVerb, at: now() };
      last.set(key(kind, name), { ...asked, ended: null });
      const doing = act().then(
        (ended) => void last.set(key(kind, name), { ...asked, ended: { at: now(), end: ended } }),
        (error: unknown) => {
          last.set(key(kind, name), { ...asked, ended: { at: now(), end: { is: "failed", why: wordsOf(error) } } });
          // of what was given: it is said where it was given
          if (isRepriseError(error) && error.status < 500) throw error;
        },
      );
      // once nobody waits for it, nobody hears of it
      doing.catch(() => {});
      const late = new Error("late");
      try {
        await withDeadline(inside.clock(), defaults.page.decideMs, doing, () => late);
      } catch (error) {
        if (error !== late) throw error;
      }
      return undefined;
    },
  };
}

function boundIn(given: unknown): string | undefined {
  return typeof given === "string" && given.trim() !== "" ? given.trim() : undefined;
}

/** One by its id, those of a reason, or all. */
function choiceIn({ id, reason }: Readonly<Record<string, unknown>>): LetterChoice {
  return {
    ids: typeof id === "string" ? [id] : undefined,
    // what is none is refused where it is used
    reason: typeof reason === "string" && reason !== "" ? (reason as DeadLetterReason) : undefined,
  };
}

/** Keys are values. */
function withoutKeys(told: LoadReconciliation): LoadReconciliation {
  return told.status === "compared" ? { ...told, keys: [] } : told;
}

/** A driver's own words may hold values. */
function wordsOf(error: unknown): string {
  return isRepriseError(error) ? error.message : (labelOf(error) ?? "it ended");
}
