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
import { nameOfId, type PartKeys } from "./keys.ts";
import { attemptRecord, type Described, describe, described, effectRecord } from "./records.ts";
import { integer, items, text } from "./replies.ts";
import { clock, script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Members that one look at an index takes. */
const page = 100;

// the newest, with their scores
const newestScript = script("return redis.call('ZREVRANGE', KEYS[1], ARGV[2], ARGV[3], 'WITHSCORES')");

// those whose instant passed so long ago
const passedScript = script(`${clock}
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2], 'LIMIT', ARGV[3], ARGV[4])
`);

const describeScript = script(`${work}${describe}
local described = {}
for i, key in ipairs(KEYS) do
  local work = load_work(key)
  described[i] = work and describe(work, ARGV[2] == '1') or false
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
  readonly operation: string;
  readonly score: number;
}

function memberOf(member: string, score: number): Member {
  const cut = member.indexOf(" ");
  return { member, name: member.slice(0, cut) as Name, operation: member.slice(cut + 1), score };
}

/** What is told of several works of one part. Null: gone. */
async function describeAll(
  store: RedisStore,
  members: readonly Member[],
  withInput: boolean,
): Promise<readonly (Described | null)[]> {
  if (members.length === 0) return [];
  const keys = members.map(({ name }) => store.keys.work(name));
  return items(await store.run("look", describeScript, keys, [withInput ? 1 : 0])).map(described);
}

async function* passed(store: RedisStore, index: string, agoMs: number): AsyncGenerator<readonly Member[]> {
  for (let offset = 0; ; offset += page) {
    const reply = items(await store.run("look", passedScript, [index], [Math.ceil(agoMs), offset, page]));
    if (reply.length > 0) yield reply.map((member) => memberOf(text(member), 0));
    if (reply.length < page) return;
  }
}

/** Newest first: one page of each part at a time, until what is told cannot be preceded by what was not looked at. */
export async function recentRuns(store: RedisStore, query: RecentQuery): Promise<readonly RunSummary[]> {
  const { limit, operation, state } = query;
  const index = state === undefined || state === "done" ? "runs" : "unfinished";
  const found: RunSummary[] = [];
  for (let offset = 0; ; offset += limit) {
    const pages = await Promise.all(store.keys.parts.map((part) => newest(store, part[index], offset, limit)));
    const summaries = await Promise.all(
      pages.map(async (members) => {
        const wanted = members.filter((member) => operation === undefined || member.operation === operation);
        const all = await describeAll(store, wanted, false);
        return all.flatMap((one) =>
          one !== null && (state === undefined || one.run.state === state) ? [one.run] : [],
        );
      }),
    );
    found.push(...summaries.flat());
    found.sort((a, b) => b.createdAt - a.createdAt);
    const unread = pages.filter((members) => members.length === limit).map((members) => members.at(-1)?.score ?? 0);
    if (unread.length === 0) return found.slice(0, limit);
    const horizon = Math.max(...unread);
    if (found.length >= limit && (found[limit - 1]?.createdAt ?? 0) >= horizon) return found.slice(0, limit);
  }
}

async function newest(store: RedisStore, index: string, offset: number, limit: number): Promise<readonly Member[]> {
  const flat = items(await store.run("recent", newestScript, [index], [offset, offset + limit - 1]));
  return flat.flatMap((member, at) => (at % 2 === 0 ? [memberOf(text(member), integer(flat[at + 1]))] : []));
}

export async function runHistory(store: RedisStore, id: WorkId): Promise<RunHistory | null> {
  const name = nameOfId(id);
  const reply = await store.run("history", historyScript, store.keys.ofWork(name), [name, id]);
  if (reply === null) return null;
  const [run, effects, attempts] = items(reply);
  const told = described(run);
  if (told === null) return null;
  return {
    run: told.run,
    effects: items(effects).map(effectRecord),
    attempts: items(attempts).map(attemptRecord),
  };
}

/** Oldest first, of what is due. */
export async function abandonedWork(store: RedisStore, query: AbandonedQuery): Promise<readonly AbandonedWork[]> {
  const { operations, resumedBelow, limit } = query;
  if (operations.length === 0) return [];
  const due = await Promise.all(
    store.keys.parts.map(async (part) => {
      const taken: { readonly member: Member; readonly createdAt: number }[] = [];
      for await (const members of passed(store, part.due, 0)) {
        const wanted = members.filter(({ operation }) => operations.includes(operation));
        const all = await describeAll(store, wanted, false);
        for (const [at, member] of wanted.entries()) {
          const one = all[at];
          if (one?.hasInput === true && one.resumes < resumedBelow)
            taken.push({ member, createdAt: one.run.createdAt });
        }
        if (taken.length >= limit) break;
      }
      return taken;
    }),
  );
  const oldest = due.flat().toSorted((a, b) => a.createdAt - b.createdAt);
  const chosen = oldest.slice(0, limit).map(({ member }) => member);
  const inputs = await Promise.all(chosen.map((member) => describeAll(store, [member], true)));
  return chosen.flatMap(({ name, operation }, at) => {
    const one = inputs[at]?.[0];
    const isLive = one?.run.state === "open" || one?.run.state === "running";
    if (one == null || one.input === null || !isLive) return [];
    return [{ id: one.run.id, name, operation, input: one.input, token: one.run.token }];
  });
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
    const members = reply.map((member) => memberOf(text(member), 0));
    const forgotten = await Promise.all(members.map(({ member, name }) => forgetWork(store, member, name)));
    swept += forgotten.filter((one) => one).length;
  };
  for (const part of store.keys.parts) {
    if (swept >= limit) break;
    await sweepPart(part);
  }
  return swept;
}
