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
  // from the function's own block only: a module's imports say nothing of one statement
  if (from === -1) return false;
  const known = answers.get(script) ?? new Map<number, boolean>();
  answers.set(script, known);
  let answer = known.get(from);
  if (answer === undefined) {
    const start = script.tokens[from]?.start ?? 0;
    const end = script.tokens[to]?.end ?? script.text.length;
    answer = handled.test(script.code.slice(start, end));
    known.set(from, answer);
  }
  return answer;
}

/** Of each function, by where it begins: a long one holds many statements. */
const answers = new WeakMap<Script, Map<number, boolean>>();

/** Whoever locks a parent's row first lets one after the other look for its children. */
export function isLockedBefore(locks: readonly Event[], look: Event, write: Event, script: Script): boolean {
  const around = functionAround(script, write.chain.from);
  return locks.some(
    (event) =>
      event.chain.from < look.chain.from &&
      event.chain.from > around.from &&
      event.chain.to < around.to &&
      !event.models.includes(write.models[0] ?? ""),
  );
}
