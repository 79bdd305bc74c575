import type { Fault } from "../finding.ts";
import type { Event } from "./events.ts";
import { functionAround, type Script } from "./structure.ts";

/** What tells that somebody has thought of two at once: the error that the second gets, a lock, or a serializable transaction. */
const handled = new RegExp(
  [
    String.raw`P2002|23505|ER_DUP_ENTRY|\b1062\b|\b2627\b|SQLITE_CONSTRAINT|Unique(?:Key)?(?:Constraint)?(?:Error|Violation)|unique_violation|E11000|\b11000\b`,
    String.raw`is(?:Unique|Duplicate)\w*\(|Duplicate(?:Key|Entry)\w*|DUPLICATE_KEY|advisory|get_?lock|with_?lock|acquire\w*lock|\.acquire\(`,
    String.raw`\bmutex\b|redlock|runExclusive|serializable|lock\s+tables?\s|begin\s+(?:immediate|exclusive)|sp_getapplock|\bholdlock\b`,
  ].join("|"),
  "i",
);

export function isHandled(script: Script, at: number, rule?: Fault["rule"]): boolean {
  // nothing outside makes these sound
  if (rule === "insert-ignore" || rule === "replace-deletes") return false;
  const { from, to } = functionAround(script, at);
  const start = script.tokens[from]?.start ?? 0;
  const end = script.tokens[to]?.end ?? script.text.length;
  // from the function's own block only: a module's imports say nothing of one statement
  if (from === -1) return false;
  return handled.test(script.code.slice(start, end));
}

/** Whoever locks a parent's row first lets one after the other look for its children. */
export function isLockedBefore(events: readonly Event[], look: Event, write: Event, script: Script): boolean {
  const around = functionAround(script, write.chain.from);
  return events.some(
    (event) =>
      event.is === "look" &&
      event.locks &&
      event.chain.from < look.chain.from &&
      event.chain.from > around.from &&
      event.chain.to < around.to &&
      !event.models.includes(write.models[0] ?? ""),
  );
}
