import type { Name, WorkId } from "../../base/names.ts";
import type { AbandonedWork, Completion, Fence, Parking, Release } from "../../contract/ledger.ts";
import { leaveBegun } from "./begun.ts";
import { unbindKey } from "./binding.ts";
import { forgetId, nameOfId, rememberId } from "./ids.ts";
import { withParent } from "./parent.ts";
import { integer, items, nullable, text, textOrNull } from "./replies.ts";
import { clock, finish, script, sweepMs, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

// work as its claim wrote it: nothing stands beside it. nil: something does, or may, and the longer script must look
const completeFreshScript = script(`${clock}
local packed = redis.call('GET', KEYS[1])
local work = packed and cmsgpack.unpack(packed)
if not work or work.state ~= 'r' or work.id ~= ARGV[2] or work.attempt ~= ARGV[3] then return 'fenced' end
if not work.fresh then return nil end
work.state, work.ended_at, work.outcome, work.refused = 'd', now, ARGV[4], ARGV[5] == '1'
work.keep_until = math.max(work.keep_until, now + ARGV[6])
packed = cmsgpack.pack(work)
if work.parent then
  redis.call('SET', KEYS[1], packed)
else
  redis.call('SET', KEYS[1], packed, 'PX', work.keep_until - now + ${sweepMs})
end
return 'done'
`);

const completeScript = script(`${work}${finish}
local work = held()
if not work then return 'fenced' end
local visited = {}
for i = 8, #ARGV do visited[ARGV[i]] = true end
local effects = effects_reply()
for _, effect in ipairs(effects) do
  if not effect[6] or not visited[effect[1]] then return 'effects-differ' end
end
finish(work, ARGV[5], ARGV[6], ARGV[7])
return 'done'
`);

/** Younger work is near the end of its list. */
const searchedMs = 60_000;

// the ledger decides what happened, not the process's memory: the answer to a start may have been lost
const releaseScript = script(`${work}
local work = held()
if not work then return {'fenced'} end
if ARGV[5] ~= '1' and redis.call('HLEN', effects_key) == 0 then
  forget(work)
  -- a list is searched from its newest end: what lies far back is left to the sweep
  if now - work.created_at > ${searchedMs} then return {'released', work.keys} end
  return {'released', work.keys, work.keep_ms, member(work)}
end
note(work, 'released', nullable(ARGV[7]))
work.state, work.not_before, work.lease_until, work.why = 'o', now + ARGV[6], now, nullable(ARGV[7])
save(work)
redis.call('ZADD', due, work.not_before, member(work))
return {'open'}
`);

const parkScript = script(`${work}
local work = held()
if not work then return 'fenced' end
local effect = effect_of(ARGV[5])
if ARGV[7] == '1' and effect and effect[6] then return 'answered' end
park(work, ARGV[5], ARGV[6])
return 'parked'
`);

const parkStalledScript = script(`${work}
local work = load_work(work_key)
if not work or work.id ~= ARGV[3] or work.token ~= tonumber(ARGV[4]) then return 0 end
if work.state ~= 'o' and (work.state ~= 'r' or work.lease_until > now) then return 0 end
park(work, '(resume)', ARGV[5])
return 1
`);

const parkIdleScript = script(`${work}
local work = load_work(work_key)
if not work or (work.state ~= 'o' and work.state ~= 'r') then return false end
if math.max(work.lease_until, work.not_before) > now - ARGV[3] then return false end
local started = started_effect()
if not started then
  -- it waits for its caller, whose claim lists it again: nobody need look at it each minute until then
  if work.state == 'o' and not work.input then redis.call('ZREM', due, member(work)) end
  return false
end
park(work, started, 'abandoned')
return work.id
`);

const forgetScript = script(`${work}
-- what is not done, or is held by its parent, is looked at again after so long: many must not stand before what is over
local held_ms = 60000
local work = load_work(work_key)
if not work then
  -- the server's own expiry came first
  redis.call('ZREM', aged, ARGV[3])
  return {redis.call('ZREM', kept, ARGV[3]), now, {}}
end
if member(work) ~= ARGV[3] then
  -- it was given back, or its name began anew
  redis.call('ZREM', kept, ARGV[3])
  redis.call('ZREM', aged, ARGV[3])
  return {0, now, {}}
end
local over = is_over(work, ARGV[4])
if over == nil then return look_at_parent(work) end
if not over then
  local is_kept = work.state == 'd' and work.keep_until > now
  redis.call('ZADD', kept, is_kept and work.keep_until or now + held_ms, ARGV[3])
  return {0, now, {}}
end
forget(work)
return {1, now, work.keys, work.id}
`);

export async function completeWork(
  store: RedisStore,
  { name, id, attempt }: Fence,
  { outcome, refused, keepMs, visited }: Completion,
): Promise<"done" | "fenced" | "effects-differ"> {
  const ending = [id, attempt, outcome, refused ? 1 : 0, Math.ceil(keepMs)] as const;
  // what it visited stands beside it
  if (visited.length === 0) {
    const completed = await store.run("complete", completeFreshScript, [store.keys.work(name)], ending);
    if (completed !== null) return text(completed) as "done";
  }
  const args = [name, ...ending, ...visited];
  return text(await store.run("complete", completeScript, store.keys.ofWork(name), args)) as "done";
}

export async function releaseWork(
  store: RedisStore,
  { name, id, attempt }: Fence,
  { keep, notBeforeMs, error }: Release,
): Promise<"released" | "open" | "fenced"> {
  const args = [name, id, attempt, keep ? 1 : 0, Math.ceil(notBeforeMs), nullable(error)];
  const reply = items(await store.run("release", releaseScript, store.keys.ofWork(name), args));
  const [left, keys, keepMs, member] = reply;
  await Promise.all([
    ...items(keys).map((key) => unbindKey(store, text(key) as Name, name, { by: attempt })),
    ...(member === undefined ? [] : [leaveBegun(store, name, integer(keepMs), text(member))]),
  ]);
  return text(left) as "released" | "open" | "fenced";
}

export async function parkOwn(
  store: RedisStore,
  { name, id, attempt }: Fence,
  { effect, why, unlessAnswered }: Parking,
): Promise<"parked" | "answered" | "fenced"> {
  const args = [name, id, attempt, effect, why, unlessAnswered ? 1 : 0];
  const parked = text(await store.run("park", parkScript, store.keys.ofWork(name), args)) as "parked";
  if (parked === "parked") await rememberId(store, id, name, null);
  return parked;
}

export async function parkStalled(
  store: RedisStore,
  { id, token }: Pick<AbandonedWork, "id" | "token">,
  why: string,
): Promise<boolean> {
  const name = await nameOfId(store, id);
  if (name === null) return false;
  const args = [name, id, token, why];
  if (integer(await store.run("parkStalled", parkStalledScript, store.keys.ofWork(name), args)) !== 1) return false;
  await rememberId(store, id, name, null);
  return true;
}

/** Parks the work if it has a started effect and nobody has been at it for `afterMs`. */
export async function parkIdle(store: RedisStore, name: Name, afterMs: number): Promise<boolean> {
  const args = [name, Math.ceil(afterMs)];
  const id = textOrNull(await store.run("parkAbandoned", parkIdleScript, store.keys.ofWork(name), args));
  if (id === null) return false;
  await rememberId(store, id as WorkId, name, null);
  return true;
}

/** Deletes the work if it is done and past its keep, and frees its keys. */
export async function forgetWork(store: RedisStore, member: string, name: Name): Promise<boolean> {
  const reply = await withParent(store, (seen) =>
    store.run("sweep", forgetScript, store.keys.ofWork(name), [name, member, seen]),
  );
  const [forgotten, at, keys, id] = items(reply);
  // a claim that named the key since then may be about to list it
  const before = integer(at);
  await Promise.all(items(keys).map((key) => unbindKey(store, text(key) as Name, name, { before })));
  if (id !== undefined) await forgetId(store, text(id) as WorkId);
  return integer(forgotten) === 1;
}
