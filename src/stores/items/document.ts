import { randomUUID } from "node:crypto";
import { defaults } from "../../base/defaults.ts";
import { type AttemptId, type Name, newWorkId, type WorkId } from "../../base/names.ts";
import type { WorkRequest } from "../../contract/ledger.ts";
import type { Effect, Work } from "../work.ts";
import type { Content, ItemKey, Tag } from "./item-store.ts";
import type { Moment } from "./store-clock.ts";

/** One work with all that hangs on it: one item, replaced whole. */
export interface Document extends Work {
  /** The caller's keys that it claims to have: see `keys.ts`. `null`: it has it; else whose claim is about to take it. */
  readonly keys: Map<Name, AttemptId | WorkId | null>;
  /** Whether it stands in the list of what somebody may have to come for. */
  isListed: boolean;
  /** Of the last write: whoever is told that another came before finds out whether that was its own. */
  mark: string;
}

/** As it was read, or written. The text is decoded for each use: what fails to be written has changed nothing. */
export interface Kept {
  readonly text: string;
  readonly tag: Tag;
}

interface Encoded extends Omit<Document, "effects" | "keys" | "attempts"> {
  /** Version of this form. */
  readonly document: 1;
  readonly effects: readonly (readonly [string, Effect])[];
  readonly keys: readonly (readonly [Name, AttemptId | WorkId | null])[];
  readonly attempts: Document["attempts"];
}

/** How work begins: somebody's, or nobody's yet. */
export interface Beginning extends Pick<Work, "id" | "attempt" | "state" | "leaseUntil" | "input"> {
  readonly isListed: boolean;
  readonly by: AttemptId | WorkId;
}

export function workKey(name: Name): ItemKey {
  return { partition: `work ${name}`, row: "" };
}

export const workPrefix = "work ";

/** An id that is made here begins with the name of its work; one that came with accepted work has an item that names it. */
export function newIdOf(name: Name): WorkId {
  return `${name}${newWorkId()}` as WorkId;
}

export function newDocument(request: WorkRequest, { latest }: Moment, { by, ...beginning }: Beginning): Document {
  const { name, key, print, parent, intent, about, keepMs } = request;
  return {
    name,
    print,
    parent,
    intent,
    about,
    createdAt: latest,
    keys: new Map(key === null ? [] : [[key, by]]),
    effects: new Map(),
    attempts: [],
    token: 1,
    resumes: 0,
    notBefore: 0,
    outcome: "",
    refused: false,
    keepUntil: latest + keepMs,
    endedAt: null,
    effect: "",
    why: null,
    progress: null,
    cancelled: false,
    mark: "",
    ...beginning,
  };
}

/** With a mark of its own. */
export function encode(work: Document): Content {
  work.mark = randomUUID();
  // the bounds of the time are found anew with each answer: what came later is not shown as earlier
  if (work.endedAt !== null) work.endedAt = Math.max(work.endedAt, work.createdAt);
  for (const effect of work.effects.values()) {
    if (effect.pinnedAt !== null) effect.pinnedAt = Math.max(effect.pinnedAt, effect.startedAt);
  }
  const { effects, keys, attempts } = work;
  const encoded: Encoded = {
    ...work,
    document: 1,
    effects: [...effects],
    keys: [...keys],
    attempts: attempts.slice(-defaults.items.attemptsKept),
  };
  return { text: JSON.stringify(encoded), overAt: work.state === "done" ? work.keepUntil : null };
}

export function decode(text: string): Document {
  const { document: _, effects, keys, ...work } = JSON.parse(text) as Encoded;
  return { ...work, effects: new Map(effects), keys: new Map(keys) };
}
