import { type Name, newAttemptId, type WorkId } from "../../base/names.ts";
import type { Intervention, Note } from "../../contract/ledger.ts";
import { refreshKeys } from "./binding.ts";
import { nameOfId, rememberId } from "./ids.ts";
import { integer, items, text } from "./replies.ts";
import { finish, reopen, script, work } from "./script.ts";
import type { Argument, RedisStore } from "./store.ts";

// the keys that must live on with the work are told by what prolongs it
const interveneScript = script(`${work}${finish}${reopen}
local does, who, why = ARGV[4], ARGV[5], ARGV[6]
local work = load_work(work_key)
if not work or work.id ~= ARGV[3] then return {0} end

if does == 'release' then
  if work.state ~= 'r' or work.token ~= tonumber(ARGV[7]) then return {0} end
  note(work, 'revoked', why, who)
  -- with another attempt's id nothing that the owner still writes carries the fence
  work.state, work.attempt, work.not_before, work.lease_until = 'o', ARGV[8], 0, now
  save(work)
  redis.call('ZADD', due, now, member(work))
  return {1}
end

if does == 'cancel' then
  if (work.state ~= 'o' and work.state ~= 'r') or not work.input or work.cancelled then return {0} end
  note(work, 'cancelled', why, who)
  -- nothing is to be waited for any more
  work.cancelled, work.not_before = true, 0
  save(work)
  redis.call('ZADD', due, work.lease_until, member(work))
  return {1}
end

if work.state ~= 'u' then return {0} end
if does == 'settle' then
  note(work, 'settled', why, who)
  finish(work, ARGV[7], ARGV[8], ARGV[9])
  return {1, work.keys}
elseif does == 'reopen' then
  note(work, 'reopened', why, who)
  reopen(work)
  return {1}
end

local effect = effect_of(ARGV[7])
if not effect or effect[6] then return {0} end
if does == 'answer' then
  effect[3], effect[6] = now, ARGV[8]
  set_effect(ARGV[7], effect)
  note(work, 'answered', why, who)
else
  redis.call('HDEL', effects_key, ARGV[7])
  -- the place of the next one is how many there are: no two may have the same
  local flat = redis.call('HGETALL', effects_key)
  for i = 1, #flat, 2 do
    local later = cmsgpack.unpack(flat[i + 1])
    if later[1] > effect[1] then
      later[1] = later[1] - 1
      set_effect(flat[i], later)
    end
  end
  note(work, 'forgotten', why, who)
end
reopen_if_answered(work)
return {1}
`);

/** A person's decision about the work. False: it is in another state than that is for, or gone. */
export async function interveneWork(
  store: RedisStore,
  id: WorkId,
  intervention: Intervention,
  { who, why }: Note,
): Promise<boolean> {
  const name = await nameOfId(store, id);
  if (name === null) return false;
  const args = [name, id, intervention.does, who, why, ...decided(intervention)];
  const [changed, keys] = items(await store.run("intervene", interveneScript, store.keys.ofWork(name), args));
  if (integer(changed) === 1 && intervention.does === "settle") {
    await Promise.all([
      refreshKeys(store, items(keys).map(text) as Name[], name, intervention.keepMs),
      rememberId(store, id, name, intervention.keepMs),
    ]);
  }
  return integer(changed) === 1;
}

function decided(intervention: Intervention): readonly Argument[] {
  switch (intervention.does) {
    case "settle":
      return [intervention.outcome, intervention.refused ? 1 : 0, Math.ceil(intervention.keepMs)];
    case "answer":
      return [intervention.effect, intervention.answer];
    case "forget":
      return [intervention.effect];
    case "reopen":
    case "cancel":
      return [];
    case "release":
      return [intervention.token, newAttemptId()];
  }
}
