import type { Name, WorkId } from "../../base/names.ts";
import type {
  AttemptRecord,
  EffectRecord,
  Fingerprint,
  Progress,
  RunState,
  RunSummary,
  WorkRequest,
} from "../../contract/ledger.ts";
import { integer, integerOrNull, items, text, textOrNull } from "./replies.ts";

/** An effect as `effect_reply` tells it. */
export function effectRecord(reply: unknown): EffectRecord {
  const [effect, startedAt, pinnedAt, settlesInMs, token, answer] = items(reply);
  const answered = textOrNull(answer);
  return {
    effect: text(effect),
    // transactions are not this ledger's
    kind: "effect",
    state: answered === null ? "started" : "pinned",
    startedAt: integer(startedAt),
    pinnedAt: integerOrNull(pinnedAt),
    settlesInMs: integer(settlesInMs),
    answer: answered,
    token: integer(token),
  };
}

export function attemptRecord(reply: unknown): AttemptRecord {
  const [at, what, owner, token, why] = items(reply);
  return {
    at: integer(at),
    what: text(what) as AttemptRecord["what"],
    owner: text(owner),
    token: integer(token),
    why: textOrNull(why),
  };
}

/** A fingerprint is compared as a whole, its version included. */
export function printed({ version, hash }: Fingerprint): string {
  return `${version}:${hash}`;
}

function printOf(text: string): Fingerprint {
  const cut = text.indexOf(":");
  return { version: Number(text.slice(0, cut)), hash: text.slice(cut + 1) };
}

/** In Lua: what is told of work; `with_input`: its kept input too. */
export const describe = `
local function describe(work, with_input)
  return {work.state, work.print, work.id, work.token, work.lease_until, work.keep_until, work.created_at, work.ended_at,
    work.why, work.refused and 1 or 0, work.operation, work.about, work.owner, work.resumes, work.input and 1 or 0,
    with_input and work.input, work.progress, work.cancelled and 1 or 0}
end
`;

/** What of work no script looks at: one text. */
type Shown = readonly [identity: string, principal: string, key: string | null, intent: Name | null];

export function shownOf({ about, intent }: WorkRequest): string {
  const shown: Shown = [about.identity, about.principal, about.key, intent];
  return JSON.stringify(shown);
}

export interface Described {
  readonly run: RunSummary;
  readonly resumes: number;
  readonly hasInput: boolean;
  /** Where it was asked for. */
  readonly input: string | null;
  readonly intent: Name | null;
  readonly name: Name;
}

const states: Readonly<Record<string, RunState>> = { o: "open", r: "running", u: "unknown", d: "done" };

export function described(reply: unknown, name: Name): Described | null {
  if (reply === null || reply === undefined) return null;
  const fields = items(reply);
  const [state, print, id, token, leaseUntil, keepUntil, createdAt, endedAt, why, refused] = fields;
  const [operation, shown, owner, resumes, hasInput, input, progress, cancelled] = fields.slice(10);
  const [identity, principal, key, intent] = JSON.parse(text(shown)) as Shown;
  return {
    name,
    run: {
      id: text(id) as WorkId,
      state: states[text(state)] ?? "open",
      refused: text(state) === "d" ? integer(refused) === 1 : null,
      operation: text(operation),
      identity,
      principal,
      key,
      owner: text(owner),
      createdAt: integer(createdAt),
      endedAt: integerOrNull(endedAt),
      leaseUntil: text(state) === "r" ? integer(leaseUntil) : null,
      keepUntil: integer(keepUntil),
      token: integer(token),
      print: printOf(text(print)),
      why: textOrNull(why),
      progress: progressOf(progress),
      cancelled: integer(cancelled) === 1,
    },
    resumes: integer(resumes),
    hasInput: integer(hasInput) === 1,
    input: textOrNull(input),
    intent,
  };
}

export function progressOf(reply: unknown): Progress | null {
  const progress = textOrNull(reply);
  return progress === null ? null : (JSON.parse(progress) as Progress);
}
