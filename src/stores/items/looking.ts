import { defaults } from "../../base/defaults.ts";
import type { Name, WorkId } from "../../base/names.ts";
import type {
  AbandonedQuery,
  AbandonedWork,
  Intervention,
  Note,
  ParkAbandonedQuery,
  RecentQuery,
  RunHistory,
  RunSummary,
  Standing,
  Twice,
  TwiceQuery,
} from "../../contract/ledger.ts";
import { intervene } from "../intervene.ts";
import { isDue, parkWork, runSummary, standingOf, startedEffects } from "../work.ts";
import { effectRecords } from "./claim.ts";
import { type Document, decode, workPrefix } from "./document.ts";
import type { DueEntry } from "./due.ts";
import { afterOpening } from "./effects.ts";
import type { IntentEntry } from "./intents.ts";
import type { ItemLedger } from "./ledger.ts";
import type { Moment } from "./store-clock.ts";
import { told, written } from "./works.ts";

/** `null`: no such work, or no longer. */
async function byId({ works, ids }: ItemLedger, id: WorkId, signal: AbortSignal): Promise<Document | null> {
  const name = await ids.nameOf(id, signal);
  const kept = name === null ? null : await works.read(name, signal);
  const work = kept === null ? null : decode(kept.text);
  return work?.id === id ? work : null;
}

export async function workStanding(ledger: ItemLedger, id: WorkId, signal: AbortSignal): Promise<Standing | null> {
  const work = await byId(ledger, id, signal);
  return work && standingOf(work);
}

export async function runHistory(ledger: ItemLedger, id: WorkId, signal: AbortSignal): Promise<RunHistory | null> {
  const work = await byId(ledger, id, signal);
  if (work === null) return null;
  return { run: runSummary(work), effects: effectRecords(work, ledger.clock.moment()), attempts: work.attempts };
}

export async function interveneWork(
  ledger: ItemLedger,
  id: WorkId,
  intervention: Intervention,
  note: Note,
  signal: AbortSignal,
): Promise<boolean> {
  const { works, ids, due, intents } = ledger;
  const name = await ids.nameOf(id, signal);
  if (name === null) return false;
  let isEnded = false;
  const changed = await works.change(
    name,
    async (work, moment) => {
      if (work.id !== id) return told(false);
      const decide = () => intervene(work, moment.latest, intervention, note);
      if (!(await afterOpening(ledger, work, moment, signal, decide))) return told(false);
      if (work.state === "done" && !work.refused) await intents.enter(work, signal);
      isEnded = work.state === "done" && work.isListed;
      if (isEnded) work.isListed = false;
      return written(true);
    },
    signal,
  );
  if (changed?.answer === true && isEnded) await due.remove(name, signal);
  return changed?.answer ?? false;
}

/** Looks at what the list has to come for. What is not, as it turns out, is looked at again when it may be. */
async function comeFor<T>(
  ledger: ItemLedger,
  entry: DueEntry,
  idleMs: number,
  take: (work: Document, moment: Moment) => T | null,
  signal: AbortSignal,
): Promise<T | null> {
  const { works, due, clock } = ledger;
  const kept = await works.read(entry.name, signal);
  const moment = clock.moment();
  const { earliest } = moment;
  const work = kept === null ? null : decode(kept.text);
  if (work === null || !work.isListed) {
    // what is not there, or not listed yet, may be about to be: its entry is written first
    if (work?.state === "done" || earliest - entry.lookAt > defaults.items.dueGraceMs) await due.drop(entry, signal);
    return null;
  }
  if (isDue(work, earliest)) return isDue(work, earliest - idleMs) ? take(work, moment) : null;
  const until = work.state === "unknown" ? earliest + defaults.items.parkedLookMs : dueAt(work);
  if (until > entry.lookAt) await due.put(work, until, signal);
  return null;
}

function dueAt({ leaseUntil, notBefore }: Document): number {
  return Math.max(leaseUntil, notBefore);
}

export async function abandonedWork(
  ledger: ItemLedger,
  { operations, idleMs, limit, id }: AbandonedQuery,
  signal: AbortSignal,
): Promise<readonly AbandonedWork[]> {
  if (operations.length === 0) return [];
  if (id !== undefined) {
    const work = await byId(ledger, id, signal);
    if (work === null || !operations.includes(work.about.operation)) return [];
    return isDue(work, ledger.clock.moment().earliest - idleMs) ? abandonedOf(work) : [];
  }
  const found: AbandonedWork[] = [];
  const look = ledger.clock.moment().earliest - idleMs;
  const entries = await ledger.due.until(look, new Set(operations), signal);
  for (let at = 0; at < entries.length && found.length < limit; at += defaults.items.atOnce) {
    const some = entries.slice(at, at + defaults.items.atOnce);
    const taken = await Promise.all(some.map((entry) => comeFor(ledger, entry, idleMs, abandonedOf, signal)));
    found.push(...taken.flatMap((one) => one ?? []));
  }
  return found.slice(0, limit);
}

function abandonedOf({ id, name, about, input, token, resumes }: Document): readonly AbandonedWork[] {
  return input === null ? [] : [{ id, name, operation: about.operation, input, token, resumes }];
}

export async function parkAbandoned(
  ledger: ItemLedger,
  queries: readonly ParkAbandonedQuery[],
  signal: AbortSignal,
): Promise<number> {
  if (queries.length === 0) return 0;
  const afterMs = new Map(queries.map((query) => [query.operation, query.afterMs]));
  const look = ledger.clock.moment().earliest - Math.min(...afterMs.values());
  let parked = 0;
  for (const entry of await ledger.due.until(look, new Set(afterMs.keys()), signal)) {
    const idleMs = afterMs.get(entry.operation) ?? 0;
    const isIdle = await comeFor(ledger, entry, idleMs, (work) => startedEffects(work).length > 0, signal);
    if (isIdle !== true) continue;
    const changed = await ledger.works.change(
      entry.name,
      (work, { earliest, latest }) => {
        const [started] = startedEffects(work).toSorted();
        if (started === undefined || !isDue(work, earliest - idleMs)) return told(false);
        parkWork(work, latest, started, "abandoned");
        return written(true);
      },
      signal,
    );
    if (changed?.answer === true) parked += 1;
  }
  return parked;
}

/** What the store has, as far as one look goes. No item says when its work began, so all are read to find the newest. */
async function allWork(ledger: ItemLedger, operation: string | undefined, signal: AbortSignal) {
  const found: Document[] = [];
  let read = 0;
  let after: string | null = null;
  do {
    const page = await ledger.items.scan({ prefix: workPrefix, overBefore: null, after }, signal);
    const works = page.items.map(({ text }) => decode(text));
    found.push(...works.filter((work) => operation === undefined || work.about.operation === operation));
    read += works.length;
    after = page.next;
  } while (after !== null && read < defaults.items.lookedThrough);
  return found.toSorted((a, b) => b.createdAt - a.createdAt);
}

/** What waits for a person is listed, and is found there; the newest first. */
async function parkedWork(ledger: ItemLedger, { limit, operation }: RecentQuery, signal: AbortSignal) {
  const entries = await ledger.due.all(signal);
  const asked = entries.filter((entry) => operation === undefined || entry.operation === operation).toReversed();
  const found: Document[] = [];
  for (let at = 0; at < asked.length && found.length < limit; at += defaults.items.atOnce) {
    const works = await readAll(ledger, asked.slice(at, at + defaults.items.atOnce), signal);
    found.push(...works.filter(({ state }) => state === "unknown"));
  }
  return found;
}

/** What is not there is left out. */
async function readAll({ works }: ItemLedger, entries: readonly { readonly name: Name }[], signal: AbortSignal) {
  const kept = await Promise.all(entries.map(({ name }) => works.read(name, signal)));
  return kept.flatMap((one) => (one === null ? [] : [decode(one.text)]));
}

export async function recentRuns(
  ledger: ItemLedger,
  query: RecentQuery,
  signal: AbortSignal,
): Promise<readonly RunSummary[]> {
  const { limit, operation, state } = query;
  const works =
    state === "unknown" ? await parkedWork(ledger, query, signal) : await allWork(ledger, operation, signal);
  return works
    .filter((work) => state === undefined || work.state === state)
    .slice(0, limit)
    .map(runSummary);
}

/** Those with this intent that began near another one of it: no others are one of two. */
async function workOfIntent(ledger: ItemLedger, intent: Name, withinMs: number, signal: AbortSignal) {
  const entries = await ledger.intents.of(intent, signal);
  const isNear = ({ createdAt }: IntentEntry, other: IntentEntry | undefined) =>
    other !== undefined && Math.abs(other.createdAt - createdAt) <= withinMs;
  const near = entries.filter((entry, at) => isNear(entry, entries[at - 1]) || isNear(entry, entries[at + 1]));
  const found: Document[] = [];
  for (let at = 0; at < near.length; at += defaults.items.atOnce) {
    found.push(...(await readAll(ledger, near.slice(at, at + defaults.items.atOnce), signal)));
  }
  return found;
}

/** Each success beside the one before it with the same intent. */
export async function succeededTwice(
  ledger: ItemLedger,
  { operation, withinMs, intent, limit }: TwiceQuery,
  signal: AbortSignal,
): Promise<readonly Twice[]> {
  const works =
    intent === undefined
      ? await allWork(ledger, operation, signal)
      : await workOfIntent(ledger, intent, withinMs, signal);
  const before = new Map<Name, Document>();
  const found: Twice[] = [];
  for (const second of works.toReversed()) {
    const { intent: meant, state, refused, createdAt, about } = second;
    if (state !== "done" || refused || meant === null || about.operation !== operation) continue;
    const first = before.get(meant);
    if (first !== undefined && createdAt - first.createdAt <= withinMs) {
      const names = { first: first.name, second: second.name };
      found.push({ first: runSummary(first), second: runSummary(second), names });
    }
    before.set(meant, second);
  }
  return found.toReversed().slice(0, limit);
}
