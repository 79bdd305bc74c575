import type { Name, WorkId } from "../../base/names.ts";
import type {
  AbandonedQuery,
  AbandonedWork,
  ParkAbandonedQuery,
  RecentQuery,
  RunHistory,
  RunSummary,
} from "../../contract/ledger.ts";
import { forgetWork, parkIdle } from "./endings.ts";
import { nameOfId } from "./ids.ts";
import type { PartKeys } from "./keys.ts";
import { attemptRecord, type Described, describe, described, effectRecord } from "./records.ts";
import { items, text } from "./replies.ts";
import { clock, script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Members that one look at an index takes. */
const page = 100;

const newestScript = script("return redis.call('ZREVRANGE', KEYS[1], ARGV[2], ARGV[3])");

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
interface Member {
  readonly member: string;
  readonly name: Name;
  readonly createdAt: number;
  readonly operation: string;
}

function memberOf(reply: unknown): Member {
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
export async function newestOf(store: RedisStore, operation: string): Promise<readonly Described[]> {
  const told = await Promise.all(
    store.keys.parts.map(async (part) => {
      const newest = items(await store.run("look", newestScript, [part.runs], [0, page - 1])).map(memberOf);
      return describeAll(
        store,
        newest.filter((member) => member.operation === operation),
        {},
      );
    }),
  );
  return told.flat().filter((one) => one !== null);
}

async function* passed(store: RedisStore, index: string, agoMs: number): AsyncGenerator<readonly Member[]> {
  for (let offset = 0; ; offset += page) {
    const reply = items(await store.run("look", passedScript, [index], [Math.ceil(agoMs), offset, page]));
    if (reply.length > 0) yield reply.map(memberOf);
    if (reply.length < page) return;
  }
}

/** Newest first. What is not done is never many; of all runs one page of each part is looked at, and then the next. */
export async function recentRuns(store: RedisStore, query: RecentQuery): Promise<readonly RunSummary[]> {
  const { state } = query;
  if (state === undefined || state === "done") return recentOf(store, query, "runs", query.limit);
  return recentOf(store, query, state === "unknown" ? "parked" : "due", Number.POSITIVE_INFINITY);
}

/** Until what is told cannot be preceded by what was not looked at. */
async function recentOf(
  store: RedisStore,
  { limit, operation, state }: RecentQuery,
  index: keyof PartKeys,
  size: number,
): Promise<readonly RunSummary[]> {
  const found: RunSummary[] = [];
  let unseen: Member[] = [];
  for (let offset = 0; ; offset += size) {
    const to = size === Number.POSITIVE_INFINITY ? -1 : offset + size - 1;
    const pages = await Promise.all(
      store.keys.parts.map(async (part) => items(await store.run("recent", newestScript, [part[index]], [offset, to]))),
    );
    const members = pages.map((reply) => reply.map(memberOf));
    const unread = members.filter(({ length }) => length === size).map((read) => read.at(-1)?.createdAt ?? 0);
    const horizon = Math.max(0, ...unread);
    unseen.push(...members.flat().filter((member) => operation === undefined || member.operation === operation));
    unseen.sort((a, b) => b.createdAt - a.createdAt);
    while (found.length < limit && unseen.length > 0 && (unseen[0]?.createdAt ?? 0) >= horizon) {
      const next = unseen.slice(0, limit).filter(({ createdAt }) => createdAt >= horizon);
      unseen = unseen.slice(next.length);
      const told = await Promise.all(next.map((member) => describeAll(store, [member], {})));
      for (const one of told.flat()) {
        if (one !== null && (state === undefined || one.run.state === state)) found.push(one.run);
      }
    }
    if (found.length >= limit || unread.length === 0) return found.slice(0, limit);
  }
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

/** One part after the other, until the limit. */
export async function sweepWork(store: RedisStore, limit: number): Promise<number> {
  let swept = 0;
  const sweepPart = async (part: PartKeys): Promise<void> => {
    const reply = items(await store.run("sweep", passedScript, [part.kept], [0, 0, limit - swept]));
    const members = reply.map(memberOf);
    const forgotten = await Promise.all(members.map(({ member, name }) => forgetWork(store, member, name)));
    swept += forgotten.filter((one) => one).length;
  };
  for (const part of store.keys.parts) {
    if (swept >= limit) break;
    await sweepPart(part);
  }
  return swept;
}
