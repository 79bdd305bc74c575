import { defaults } from "../base/defaults.ts";
import type { Decided } from "../decisions/decided.ts";
import type { InsideMemory } from "../observe/inside.ts";
import type { Metrics } from "../observe/metrics.ts";
import { type CurvePoint, missRatioAt, missRatioAtBytes } from "../observe/working-set/curve.ts";
import { sizeFor } from "../observe/working-set/sizes.ts";
import { asked, bytes, counted, ownersOf, percent, totalOf, valueIn, whole, windowOf } from "./question-words.ts";
import type { Grounds } from "./questions.ts";
import type { Question } from "./wire.ts";
import { wantedHitRatio } from "./working-set.ts";

/** Questions 1 to 10, as far as there is something to say about them here. */
export function cacheQuestions(caches: readonly Decided[], grounds: Grounds): readonly Question[] {
  const { metrics, memory } = grounds;
  const accounted = caches.filter(({ answers }) => valueIn(answers["sameForEvery"]) !== undefined);
  return [
    pattern(caches),
    invalidation(caches, metrics),
    stampede(caches, metrics),
    neverCached(caches),
    eviction(caches, metrics, memory),
    ...(accounted.length === 0 ? [] : [security(accounted, caches)]),
    measuring(metrics),
    cost(caches, grounds),
  ];
}

function pattern(caches: readonly Decided[]): Question {
  const counts = new Map<string, number>();
  const tradeOffs = new Map<string, string>();
  for (const { answers } of caches) {
    const value = valueIn(answers["pattern"]) ?? "unknown";
    counts.set(value, (counts.get(value) ?? 0) + 1);
    tradeOffs.set(value, valueIn(answers["tradeOff"]) ?? "");
  }
  return {
    ...asked("1"),
    state: "declared",
    answer: `**${caches.length} of ${caches.length}** chosen: ${[...counts].map(([name, count]) => `${count} ${name}`).join(", ")}.`,
    detail: [...tradeOffs].map(([name, said]) => `${capital(name)}: ${said}`).join(" "),
    owners: ownersOf(caches),
    source: "declared in code",
  };
}

function invalidation(caches: readonly Decided[], metrics: Metrics): Question {
  const told = caches.filter(({ answers }) => answers["changedBy"]?.is === "declared");
  const writes = caches.filter(({ answers }) => answers["write"] !== undefined).length;
  const applied = totalOf(metrics.caches, "purged") + totalOf(metrics.caches, "expired");
  const written = writes === 0 ? "" : ` ${writes} ${writes === 1 ? "is" : "are"} written through the cache itself.`;
  return {
    ...asked("2"),
    state: told.length > 0 && applied > 0 ? "evidence" : "declared",
    answer:
      told.length === 0
        ? `**${caches.length - writes} of ${caches.length}** age by time only.${written}`
        : `**${told.length} of ${caches.length}** name what changes them, the rest age by time.${written} ${applied === 0 ? "None applied yet." : `${whole(applied)} applied.`}`,
    detail: "Outcomes of operations and calls of the cache; a writer that goes past both is not seen.",
    owners: ownersOf(caches),
    source: applied > 0 ? `counted, ${windowOf(metrics)}` : "declared in code",
  };
}

function stampede(caches: readonly Decided[], metrics: Metrics): Question {
  const total = (key: string) => totalOf(metrics.caches, key);
  const shared = total("shared");
  const declare = (question: string) => caches.filter(({ answers }) => answers[question]?.is === "declared");
  const sources = new Set(declare("source").map(({ answers }) => valueIn(answers["source"])));
  const queued = declare("queue").length;
  return {
    ...asked("3"),
    state: shared > 0 ? "evidence" : "default",
    answer:
      shared > 0
        ? `**1 query** a key: ${whole(shared)} reads waited for a load that another had begun.`
        : "**1 query** a key, by one flight for all who wait. Nobody has had to wait yet.",
    detail: [
      `${whole(total("loads"))} loads begun: ${whole(total("early"))} ahead of expiry by a read, ${whole(total("refreshes"))} in the background; ${declare("refresh").length} of ${caches.length} caches refresh their hottest keys.`,
      queued === 0
        ? "No cache bounds how many reads may wait."
        : `${queued} of ${caches.length} bound how many reads may wait; ${whole(total("crowded"))} reads were too many.`,
      sources.size === 0 ? "No source bounds its loads." : `Sources: ${[...sources].join("; ")}.`,
    ].join(" "),
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
    detail: `What is declared financial, legal or secret does not compile. ${detector(caches)}`,
    owners: open.length > 0 ? "nobody" : ownersOf(caches),
    source: open.length > 0 ? open.map(({ name }) => name).join(", ") : "type check",
  };
}

function detector(caches: readonly Decided[]): string {
  const policy = caches[0]?.answers["secrets"];
  const value = valueIn(policy) ?? "";
  const sentences: Readonly<Record<string, string>> = {
    refuse: "Loaded values are searched for card numbers, tokens and keys; one that holds any is refused.",
    warn: "Loaded values are searched for card numbers, tokens and keys; one that holds any is told of and stored.",
    off: "Loaded values are not searched for secrets.",
  };
  return (
    sentences[value] ??
    "By default loaded values are searched for card numbers, tokens and keys, except in production, and one that holds any is told of."
  );
}

const leaves: Readonly<Record<InsideMemory["eviction"], string>> = {
  lru: "what was read longest ago goes (lru)",
  lfu: "what is read least goes, new entries on probation (lfu)",
  "nearest-expiry": "what would expire first goes (nearest-expiry)",
};

function eviction(caches: readonly Decided[], { instances, caches: metered }: Metrics, memory: InsideMemory): Question {
  const live = instances.list.filter(({ state }) => state === "live");
  const held = (one: { readonly entries: number; readonly bytes: number | null }) =>
    memory.bound.unit === "bytes" ? (one.bytes ?? 0) : one.entries;
  const fullest = Math.max(held(memory), ...live.map(held));
  const size = memory.bound.unit === "bytes" ? bytes : counted("entry", "entries");
  const full = totalOf(metered, "evicted");
  const shielded = caches.filter(({ answers }) => answers["protect"]?.is === "declared").map(({ name }) => name);
  return {
    ...asked("5"),
    state: full > 0 ? "evidence" : memory.declared ? "declared" : "default",
    answer: `At most **${size(memory.bound.most)}** an instance, then ${leaves[memory.eviction]}; ${size(fullest)} held.`,
    detail: `${whole(full)} left because memory was full, ${whole(totalOf(metered, "lapsed"))} because their time was over. ${shielded.length === 0 ? "Nothing is protected" : `Protected, they leave last: ${shielded.join(", ")}`}; one bound for all ${caches.length} caches of an instance.`,
    owners: ownersOf(caches),
    source: full > 0 ? "counted" : memory.declared ? "declared in code" : "a default",
  };
}

function security(accounted: readonly Decided[], caches: readonly Decided[]): Question {
  return {
    ...asked("8"),
    state: "declared",
    answer: `**${accounted.length} of ${caches.length}** caches account for every dimension, in the scope or as the same for all.`,
    detail:
      "The compiler refuses a cache that leaves one out; a load that reads one which its scope does not name is not stored.",
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

/** Both sizes are told by the curve: what was counted includes loads that no memory would have saved. */
function cost(caches: readonly Decided[], { memory, curve }: Grounds): Question {
  const { readsNeeded } = defaults.workingSet;
  const inBytes = memory.bound.unit === "bytes";
  const size = inBytes ? bytes : counted("entry", "entries");
  const stated = {
    ...asked("10"),
    state: memory.declared ? ("declared" as const) : ("default" as const),
    answer: `**${size(memory.bound.most)}** for all ${caches.length} caches, ${memory.declared ? "as somebody declared it" : "a default"}.`,
    owners: ownersOf(caches),
    source: memory.declared ? "declared in code" : "a default",
  };
  if (curve === undefined) return { ...stated, detail: "Nobody watches the working set: memory.workingSet is off." };
  if (curve.reads < readsNeeded) {
    return {
      ...stated,
      detail: `Too few reads yet to say more: ${whole(curve.reads)} of ${whole(readsNeeded)}.`,
    };
  }
  const write = ({ entries, bytes: weight }: CurvePoint) =>
    inBytes && weight > 0 ? bytes(weight) : counted("entry", "entries")(entries);
  const here = { entries: memory.entries, bytes: memory.bytes ?? 0 };
  const missRatio = inBytes ? missRatioAtBytes(curve, here.bytes) : missRatioAt(curve, here.entries);
  const wanted = sizeFor(curve, wantedHitRatio);
  const most = curve.points.at(-1)?.missRatio ?? 1;
  return {
    ...stated,
    state: "evidence",
    answer: `You hold **${write({ ...here, missRatio })}**, enough for ${percent(1 - missRatio)} of reads; ${wanted === null ? `no size answers more than ${percent(1 - most)}` : `${write(wanted)} would do for ${percent(1 - wanted.missRatio)}`}.`,
    detail: `By the reads of this process: ${whole(curve.reads)} of about ${whole(curve.keys)} keys. Expiry and changes cost loads that no memory saves. The bound is ${size(memory.bound.most)}, ${memory.declared ? "declared" : "a default"}.`,
    source: "measured, this process",
  };
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
