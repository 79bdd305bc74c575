import type { Note } from "../contract/ledger.ts";
import type { Administration, Shown } from "./administration.ts";

/** What a person decided, as data: what the page's request and the command line bring. */
export type Decision =
  | { readonly does: "rerun" | "release" | "cancel" }
  | { readonly does: "answer"; readonly effect: string; readonly with: "value"; readonly value: unknown }
  | { readonly does: "answer"; readonly effect: string; readonly with: "never-happened" }
  | { readonly does: "settle"; readonly with: "value"; readonly value: unknown }
  | { readonly does: "settle"; readonly with: "refusal"; readonly refusal: string };

/** A decision that somebody else's data tells; `undefined`: it is none. */
export function decisionIn(data: Readonly<Record<string, unknown>>): Decision | undefined {
  const { does, effect, with: given, value, refusal } = data;
  if (does === "rerun" || does === "release" || does === "cancel") return { does };
  if (does === "answer" && typeof effect === "string") {
    if (given === "never-happened") return { does, effect, with: given };
    if (given === "value" && "value" in data) return { does, effect, with: given, value };
  }
  if (does === "settle") {
    if (given === "refusal" && typeof refusal === "string") return { does, with: given, refusal };
    if (given === "value" && "value" in data) return { does, with: given, value };
  }
  return undefined;
}

/** Carries it out, as `Administration` says of each verb. */
export function decide(administration: Administration, id: string, decision: Decision, note: Note): Promise<Shown> {
  switch (decision.does) {
    case "answer": {
      const known = decision.with === "value" ? { value: decision.value } : decision.with;
      return administration.answer(id, decision.effect, known, note);
    }
    case "settle": {
      const ending = decision.with === "value" ? { value: decision.value } : { refusal: decision.refusal };
      return administration.settle(id, ending, note);
    }
    default:
      return administration[decision.does](id, note);
  }
}
