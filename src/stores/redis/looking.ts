import type { Name, WorkId } from "../../base/names.ts";
import type {
  AbandonedQuery,
  AbandonedWork,
  ParkAbandonedQuery,
  RecentQuery,
  RunHistory,
  RunSummary,
} from "../../contract/ledger.ts";
import { keepsOf } from "./begun.ts";
import { parkIdle } from "./endings.ts";
import { nameOfId } from "./ids.ts";
import { attemptRecord, type Described, describe, described, effectRecord } from "./records.ts";
import { items, text } from "./replies.ts";
import { clock, type Script, script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Members that one look at an index takes. */
const page = 100;
/** Of what a list holds, the newest so many: the page looks no further back. */
const runsListed = 1_000;

// a list's newest stand last
const newestBegunScript = script("return redis.call('LRANGE', KEYS[1], -1 - ARGV[3], -1 - ARGV[2])");
const newestAgedScript = script("return redis.call('ZREVRANGE', KEYS[1], ARGV[2], ARGV[3])");
const allScript = script("return redis.call('ZRANGE', KEYS[1], 0, -1)");

// those whose instant passed so long ago
const passedScript = script(`${clock}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2], 'LIMIT', ARGV[3], ARGV[4])
`);

// where it is asked for how long nobody was at them: only those
const describeScript = script(`${work}${describe}
local idle = tonumber(ARGV[3])
local function is_due(work)
  return (work.state == 'o' or work.state == 'r') and math.max(work.lease_until, work.not_before) <= now - idle
end
local described = {}
for i, key in ipairs(KEYS) do
  local work = load_work(key)
  described[i] = work and (not idle or is_due(work)) and describe(work, ARGV[2] == '1') or false
end
return described
`);

const historyScript = script(`${work}${describe}
local work = load_work(work_key)
if not work or work.id ~= ARGV[3] then return false end
local attempts = redis.call('LRANGE', attempts_key, 0, -1)
for i, packed in ipairs(attempts) do attempts[i] = cmsgpack.unpack(packed) end
return {describe(work, false), effects_reply(), attempts}
`);

/** An index's member: whose it is stands in it, so that an operation's are found without a look at the others. */
export interface Member {
  readonly member: string;
  readonly name: Name;
  readonly createdAt: number;
  readonly operation: string;
}

export function memberOf(reply: unknown): Member {
  const member = text(reply);
  const [name = "", createdAt = ""] = member.split(" ", 2);
  const operation = member.slice(name.length + createdAt.length + 2);
  return { member, name: name as Name, createdAt: Number(createdAt), operation };
}

/** What is told of several works of one part. Null: gone, or not idle for so long. */
export async function describeAll(
  store: RedisStore,
  members: readonly Pick<Member, "name">[],
  { withInput = false, idleMs }: { readonly withInput?: boolean; readonly idleMs?: number },
): Promise<readonly (Described | null)[]> {
  if (members.length === 0) return [];
  const keys = members.map(({ name }) => store.keys.work(name));
  const args = [withInput ? 1 : 0, idleMs === undefined ? "" : Math.ceil(idleMs)];
  const replies = items(await store.run("look", describeScript, keys, args));
  return members.map(({ name }, place) => described(replies[place], name));
}

/** An operation's works among the newest of each part. */
export async function newestOf(store: RedisStore, operation?: string): Promise<readonly Described[]> {
  const told = (await newestOfParts(store)).map(async (read) => {
    const newest = await read(0, page);
    return standing(
      store,
      newest.filter((member) => isOf(member, operation)),
    );
  });
  return (await Promise.all(told)).flat();
}

/** What a part holds from the newest on. */
type Newest = (from: number, count: number) => Promise<readonly Member[]>;

/** Of each part and keep what has not aged, and of each part what has. */
async function newestOfParts(store: RedisStore): Promise<readonly Newest[]> {
  const keeps = await keepsOf(store);
  const read = async (from: Script, key: string, first: number, count: number) =>
    items(await store.run("look", from, [key], [first, first + count - 1])).map(memberOf);
  return store.keys.parts.flatMap((part): readonly Newest[] => [
    ...keeps.map(
      (keepMs): Newest =>
        async (from, count) =>
          (await read(newestBegunScript, part.begun(keepMs), from, count)).reverse(),
    ),
    (from, count) => read(newestAgedScript, part.aged, from, count),
  ]);
}

/** What is told of entries of one part whose work still stands; of a name that began anew, the later one's is. */
async function standing(store: RedisStore, members: readonly Member[]): Promise<readonly Described[]> {
  const told = await describeAll(store, members, {});
  return told.filter((one, place) => one !== null && one.run.createdAt === members[place]?.createdAt) as Described[];
}

async function* passed(store: RedisStore, index: string, agoMs: number): AsyncGenerator<readonly Member[]> {
  for (let offset = 0; ; offset += page) {
    const reply = items(await store.run("look", passedScript, [index], [Math.ceil(agoMs), offset, page]));
    if (reply.length > 0) yield reply.map(memberOf);
    if (reply.length < page) return;
  }
}

/**
 * Newest first. Of what runs and nobody would have to come for, a page of each list is looked at. Of all runs one page of
 * each list is looked at, and then the next.
 */
export async function recentRuns(store: RedisStore, query: RecentQuery): Promise<readonly RunSummary[]> {
  const { state, operation, limit } = query;
  if (state === undefined || state === "done") return recentOf(store, query);
  const indexed = store.keys.parts.map(async (part) => {
    return items(await store.run("recent", allScript, [state === "unknown" ? part.parked : part.due], [])).map(
      memberOf,
    );
  });
  const members = (await Promise.all(indexed)).flat().filter((member) => isOf(member, operation));
  const begun = state === "running" ? await newestOf(store, operation) : [];
  const running = begun.map(({ run }) => run).filter((run) => run.state === state);
  const found = [...(await tellFirst(store, newestFirst(members), query)), ...running];
  return newestFirst([...new Map(found.map((run) => [run.id, run])).values()]).slice(0, limit);
}

/** Until what is told cannot be preceded by what was not looked at. */
async function recentOf(store: RedisStore, query: RecentQuery): Promise<readonly RunSummary[]> {
  const { limit, operation } = query;
  const parts = await newestOfParts(store);
  const found: RunSummary[] = [];
  let unseen: readonly Member[] = [];
  // what is begun while the pages are read moves the others into the next page
  const met = new Set<string>();
  for (let offset = 0; ; offset += limit) {
    const size = Math.min(limit, runsListed - offset);
    const pages = await Promise.all(parts.map((read) => read(offset, size)));
    const unread = pages.filter(({ length }) => length === size).map((read) => read.at(-1)?.createdAt ?? 0);
    const horizon = offset + size < runsListed ? Math.max(0, ...unread) : 0;
    const fresh = pages.flat().filter((one) => isOf(one, operation) && !met.has(one.member));
    for (const { member } of fresh) met.add(member);
    const members = newestFirst([...unseen, ...fresh]);
    const sure = members.filter(({ createdAt }) => createdAt >= horizon);
    unseen = members.slice(sure.length);
    found.push(...(await tellFirst(store, sure, { ...query, limit: limit - found.length })));
    if (found.length >= limit || horizon === 0) return found;
  }
}

/** What is told of the first that are in the state that is asked for. */
async function tellFirst(
  store: RedisStore,
  members: readonly Member[],
  { limit, state }: RecentQuery,
): Promise<readonly RunSummary[]> {
  const found: RunSummary[] = [];
  for (let at = 0; at < members.length && found.length < limit; at += limit) {
    const told = await Promise.all(members.slice(at, at + limit).map((member) => standing(store, [member])));
    for (const { run } of told.flat()) if (state === undefined || run.state === state) found.push(run);
  }
  return found.slice(0, limit);
}

function isOf(member: Member, operation: string | undefined): boolean {
  return operation === undefined || member.operation === operation;
}

function newestFirst<T extends { readonly createdAt: number }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => b.createdAt - a.createdAt);
}

export async function runHistory(store: RedisStore, id: WorkId): Promise<RunHistory | null> {
  const name = await nameOfId(store, id);
  if (name === null) return null;
  const reply = await store.run("history", historyScript, store.keys.ofWork(name), [name, id]);
  if (reply === null) return null;
  const [run, effects, attempts] = items(reply);
  const told = described(run, name);
  if (told === null) return null;
  return {
    run: told.run,
    effects: items(effects).map(effectRecord),
    attempts: items(attempts).map(attemptRecord),
  };
}

/** Of what is due, what was so first in each part; of these the oldest first. */
export async function abandonedWork(store: RedisStore, query: AbandonedQuery): Promise<readonly AbandonedWork[]> {
  const { operations, idleMs, limit, id } = query;
  if (operations.length === 0) return [];
  const waiting = id === undefined ? await waitingFor(store, query) : [await nameOfId(store, id)];
  const looks = waiting.map(async (name): Promise<readonly AbandonedWork[]> => {
    const [one] = name === null ? [] : await describeAll(store, [{ name }], { withInput: true, idleMs });
    if (name === null || one == null || one.input === null) return [];
    const { run, input, resumes } = one;
    if ((id !== undefined && run.id !== id) || !operations.includes(run.operation)) return [];
    return [{ id: run.id, name, operation: run.operation, input, token: run.token, resumes }];
  });
  return (await Promise.all(looks)).flat().slice(0, limit);
}

async function waitingFor(store: RedisStore, query: AbandonedQuery): Promise<readonly Name[]> {
  const { operations, idleMs, limit } = query;
  const due = await Promise.all(
    store.keys.parts.map(async (part) => {
      const taken: Member[] = [];
      for await (const members of passed(store, part.due, idleMs)) {
        const wanted = members.filter(({ operation }) => operations.includes(operation));
        const all = await describeAll(store, wanted, { idleMs });
        taken.push(...wanted.filter((_, at) => all[at]?.hasInput === true));
        if (taken.length >= limit) break;
      }
      return taken;
    }),
  );
  const oldest = due.flat().toSorted((a, b) => a.createdAt - b.createdAt);
  return oldest.slice(0, limit).map(({ name }) => name);
}

export async function parkAbandoned(store: RedisStore, queries: readonly ParkAbandonedQuery[]): Promise<number> {
  const afterMs = new Map(queries.map((query) => [query.operation, query.afterMs]));
  const least = Math.min(...afterMs.values());
  const parked = await Promise.all(
    store.keys.parts.map(async (part) => {
      const idle: Member[] = [];
      for await (const members of passed(store, part.due, least)) {
        idle.push(...members.filter(({ operation }) => afterMs.has(operation)));
      }
      let count = 0;
      for (const { name, operation } of idle) {
        if (await parkIdle(store, name, afterMs.get(operation) ?? least)) count += 1;
      }
      return count;
    }),
  );
  return parked.reduce((sum, count) => sum + count, 0);
}
