import type { Name } from "../../base/names.ts";
import type { RunSummary, Twice, TwiceQuery, WorkRequest } from "../../contract/ledger.ts";
import { recordMs } from "./keys.ts";
import { describeAll, newestOf } from "./looking.ts";
import type { Described } from "./records.ts";
import { items, text } from "./replies.ts";
import { clock, script } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Of the works with one intent the newest so many are found again. */
const worksListed = 100;

const rememberScript = script(`${clock}
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
return redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[4]), redis.call('PTTL', KEYS[1])))
`);

const meantScript = script("return redis.call('ZRANGE', KEYS[1], 0, -1)");

/**
 * Lists the work beside those that are meant to bring about the same, wherever they lie. Each claim lists it anew, before its
 * work can succeed; what became of it, the work itself tells.
 */
export async function rememberIntent(store: RedisStore, { name, intent, keepMs }: WorkRequest): Promise<void> {
  if (intent === null) return;
  const args = [name, worksListed, recordMs(keepMs)];
  await store.run("keep intent", rememberScript, [store.keys.intent(intent)], args);
}

/** Each success beside the one before it with the same intent: among an intent's own works, or the newest of each part. */
export async function succeededTwice(store: RedisStore, query: TwiceQuery): Promise<readonly Twice[]> {
  const { operation, withinMs, intent, limit } = query;
  const works = intent === undefined ? await newestOf(store, operation) : await meantFor(store, intent);
  const before = new Map<Name, RunSummary>();
  const found: Twice[] = [];
  for (const { run, name, intent: meant } of works.toSorted((a, b) => a.run.createdAt - b.run.createdAt)) {
    if (run.operation !== operation || run.refused !== false || meant === null) continue;
    if (intent !== undefined && meant !== intent) continue;
    const first = before.get(meant);
    if (first !== undefined && run.createdAt - first.createdAt <= withinMs) found.push({ first, second: run, name });
    before.set(meant, run);
  }
  return found.reverse().slice(0, limit);
}

async function meantFor(store: RedisStore, intent: Name): Promise<readonly Described[]> {
  const names = items(await store.run("twice", meantScript, [store.keys.intent(intent)], [])).map(text) as Name[];
  const told = await Promise.all(names.map((name) => describeAll(store, [{ name }], {})));
  return told.flat().filter((one) => one !== null);
}
