import type { Answer, Decided } from "../decisions/decided.ts";
import type { Inside } from "../observe/inside.ts";
import type { Metrics } from "../observe/metrics.ts";
import { type Questioned, questionTexts } from "./question-texts.ts";
import type { Question, QuestionState } from "./wire.ts";

type Memory = ReturnType<Inside["memory"]>;

/**
 * The questions that production systems get wrong by default, as far as there is something to say about them here. An
 * answer counts as evidence when something measured it; what only stands in the code is declared.
 */
export function questionsOf(decided: readonly Decided[], metrics: Metrics, memory: Memory): readonly Question[] {
  const caches = decided.filter(({ kind }) => kind === "cache");
  const operations = decided.filter(({ kind }) => kind === "operation");
  return [
    ...(caches.length === 0 ? [] : cacheQuestions(caches, metrics, memory)),
    ...(operations.length === 0 ? [] : [repeatedRequest(operations, metrics)]),
  ];
}

function cacheQuestions(caches: readonly Decided[], metrics: Metrics, memory: Memory): readonly Question[] {
  const accounted = caches.filter(({ answers }) => valueIn(answers["sameForEvery"]) !== undefined);
  return [
    pattern(caches),
    invalidation(caches, metrics),
    stampede(caches, metrics),
    neverCached(caches),
    eviction(caches, metrics, memory),
    ...(accounted.length === 0 ? [] : [security(accounted, caches)]),
    measuring(metrics),
  ];
}

function pattern(caches: readonly Decided[]): Question {
  const counts = new Map<string, number>();
  for (const { answers } of caches) {
    const value = valueIn(answers["pattern"]) ?? "unknown";
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return {
    ...asked("1"),
    state: "declared",
    answer: `**${caches.length} of ${caches.length}** chosen: ${[...counts].map(([name, count]) => `${count} ${name}`).join(", ")}.`,
    detail: "Each takes only the properties, and offers only the methods, of its pattern.",
    owners: ownersOf(caches),
    source: "declared in code",
  };
}

function invalidation(caches: readonly Decided[], metrics: Metrics): Question {
  const told = caches.filter(({ answers }) => answers["changedBy"]?.is === "declared");
  const applied = totalOf(metrics.caches, "purged") + totalOf(metrics.caches, "expired");
  return {
    ...asked("2"),
    state: told.length > 0 && applied > 0 ? "evidence" : "declared",
    answer:
      told.length === 0
        ? `**${caches.length} of ${caches.length}** age by time only.`
        : `**${told.length} of ${caches.length}** name what changes them, the rest age by time. ${applied === 0 ? "None applied yet." : `${whole(applied)} applied.`}`,
    detail: "Outcomes of operations and calls of the cache; a writer that goes past both is not seen.",
    owners: ownersOf(caches),
    source: applied > 0 ? `counted, ${windowOf(metrics)}` : "declared in code",
  };
}

function stampede(caches: readonly Decided[], metrics: Metrics): Question {
  const shared = totalOf(metrics.caches, "shared");
  const loads = totalOf(metrics.caches, "loads");
  const refreshed = caches.filter(({ answers }) => answers["refresh"]?.is === "declared").length;
  return {
    ...asked("3"),
    state: shared > 0 ? "evidence" : "default",
    answer:
      shared > 0
        ? `**1 query** a key: ${whole(shared)} reads waited for a load that another had begun.`
        : "**1 query** a key, by one flight for all who wait. Nobody has had to wait yet.",
    detail: `${whole(loads)} loads begun. ${refreshed} of ${caches.length} refresh their hottest keys before they expire.`,
    owners: ownersOf(caches),
    source: shared > 0 ? `counted, ${windowOf(metrics)}` : "a default",
  };
}

function neverCached(caches: readonly Decided[]): Question {
  const open = caches.filter(({ undecided }) => undecided.includes("holds") || undecided.includes("ifStale"));
  const written = caches.length - open.length;
  return {
    ...asked("4"),
    state: open.length > 0 ? "undecided" : "declared",
    answer:
      open.length > 0
        ? `Nobody has said for **${open.length} of ${caches.length}** caches what they hold or what a late answer costs.`
        : `**${written} of ${caches.length}** worst cases are written down.`,
    detail: "What is declared financial, legal or secret does not compile.",
    owners: open.length > 0 ? "nobody" : ownersOf(caches),
    source: open.length > 0 ? open.map(({ name }) => name).join(", ") : "type check",
  };
}

function eviction(caches: readonly Decided[], { instances, now, caches: counted }: Metrics, memory: Memory): Question {
  const live = instances.list.filter(({ state }) => state === "live");
  const fullest = Math.max(memory.entries, ...live.map(({ entries }) => entries));
  const evicted = totalOf(counted, "evicted");
  return {
    ...asked("5"),
    state: evicted > 0 ? "evidence" : memory.declared ? "declared" : "default",
    answer: `At most **${whole(memory.maxEntries)} entries** an instance, then the least recently used goes; ${whole(fullest)} held, ${whole(now.reads.evictedPerMinute)} evicted a minute.`,
    detail: `One bound for all ${caches.length} caches of an instance; nothing is protected.`,
    owners: ownersOf(caches),
    source: evicted > 0 ? "counted" : memory.declared ? "declared in code" : "a default",
  };
}

function security(accounted: readonly Decided[], caches: readonly Decided[]): Question {
  return {
    ...asked("8"),
    state: "declared",
    answer: `**${accounted.length} of ${caches.length}** caches account for every dimension, in the scope or as the same for all.`,
    detail: "The compiler refuses a cache that leaves one out.",
    owners: ownersOf(caches),
    source: "type check",
  };
}

function measuring({ sees, instances }: Metrics): Question {
  const all = sees === "all-instances";
  return {
    ...asked("9"),
    state: "evidence",
    answer: all ? `**Live**, ${instances.seen} of ${instances.expected} instances.` : "**Live**, this process only.",
    detail: all
      ? "Each instance writes its counters to the ledger every 10 s."
      : "Without a ledger instances do not see each other, and nothing is kept when this one stops.",
    owners: "",
    source: "this page",
  };
}

function repeatedRequest(operations: readonly Decided[], metrics: Metrics): Question {
  const open = operations.filter(({ undecided }) => undecided.length > 0);
  const replayed = totalOf(metrics.operations, "replayed");
  const state: QuestionState = open.length > 0 ? "undecided" : replayed > 0 ? "evidence" : "declared";
  return {
    ...asked("A"),
    state,
    answer:
      open.length > 0
        ? `Nobody has decided this in full for **${open.length} of ${operations.length}** operations.`
        : replayed > 0
          ? `**${whole(replayed)}** repeated requests were answered from the ledger.`
          : `**${operations.length} of ${operations.length}** operations are declared. None has been repeated yet.`,
    detail: `${whole(totalOf(metrics.operations, "ran"))} ran, ${whole(totalOf(metrics.operations, "mismatch"))} came with the same key and other input.`,
    owners: open.length > 0 ? "nobody" : ownersOf(operations),
    source: open.length > 0 ? open.map(({ name }) => name).join(", ") : `counted, ${windowOf(metrics)}`,
  };
}

function asked(number: Questioned) {
  return { number, ...questionTexts[number] };
}

function valueIn(answer: Answer | undefined): string | undefined {
  return answer === undefined || answer.is === "undecided" ? undefined : answer.value;
}

function totalOf(counted: readonly { readonly total: Readonly<Record<string, number>> }[], key: string): number {
  return counted.reduce((sum, { total }) => sum + (total[key] ?? 0), 0);
}

function ownersOf(decided: readonly Decided[]): string {
  const owners = new Set(decided.map(({ owner }) => owner ?? "nobody"));
  return [...owners].sort().join(", ");
}

const whole = (value: number) => Math.round(value).toLocaleString("en-US");

function windowOf({ from, until }: Metrics): string {
  const minutes = Math.max(1, Math.round((until - from) / 60_000));
  if (minutes < 120) return `last ${minutes} min`;
  return minutes < 2_880 ? `last ${Math.round(minutes / 60)} h` : `last ${Math.round(minutes / 1_440)} d`;
}
