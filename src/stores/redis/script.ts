import { createHash } from "node:crypto";

/** A Lua script and the digest by which a server that has seen it knows it. */
export interface Script {
  readonly body: string;
  readonly digest: string;
}

/** What is stored of work, in the order it is packed. What new work has none of comes last: it is left out until then. */
const fields = [
  ...["state", "id", "attempt", "token", "resumes", "lease_until", "not_before", "keep_ms", "keep_until", "created_at"],
  ...["print", "operation", "about", "owner", "parent", "keys", "fresh", "ended_at", "outcome", "refused"],
  ...["effect", "why", "input", "progress", "cancelled"],
];

/**
 * `work.state` stands for its place in the packed array: a script that unpacks work into fields by name, and packs them
 * again, takes the server longer. Only a variable called `work` holds such an array.
 */
export function script(source: string): Script {
  const body = source.replace(/\bwork\.(\w+)/g, (_, field: string) => {
    const place = fields.indexOf(field) + 1;
    if (place === 0) throw new Error(`work has no field '${field}'`);
    return `work[${place}]`;
  });
  return { body, digest: createHash("sha1").update(body, "utf8").digest("hex") };
}

/**
 * Work as it is first packed, in Lua. `fresh`: nothing but the list of its keep knows of it, and nothing stands beside it,
 * until a script saves it again.
 */
export function newWork(values: Readonly<Record<string, string>>): string {
  const places = Object.keys(values).map((field) => fields.indexOf(field));
  const packed = fields.slice(0, Math.max(...places) + 1);
  if (places.includes(-1)) throw new Error("work has no such field");
  return `{${packed.map((field) => values[field] ?? "false").join(", ")}}`;
}

/**
 * The clock of the server that judges. The first argument moves it, which is for tests alone: it is 0.
 * Scripts replicate what they wrote, not themselves, so the time may stand before a write.
 */
export const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
`;

/** How long done work outlives its keep: the sweep comes before the server's own expiry, and frees the keys too. */
export const sweepMs = 600_000;

/** In Lua, an argument that `nullable` wrote. */
export const nullable = `
local function nullable(argument)
  if argument == '' then return false end
  return argument:sub(2)
end
`;

/** Reads work, and says what it answers without running. */
export const reading = `
local function load_work(key)
  local packed = redis.call('GET', key)
  if not packed then return nil end
  local work = cmsgpack.unpack(packed)
  for place = #work + 1, ${fields.length} do work[place] = false end
  return work
end

local function is_expired(work)
  return work.state == 'd' and work.keep_until <= now
end

-- nil: the work can be taken; second: what stands second in the answer
local function told(work, attempt, second)
  if work.state == 'd' then return {'done', second, work.outcome, work.ended_at} end
  if work.state == 'u' then return {'unknown', second, work.effect, work.ended_at} end
  local running = work.state == 'r'
  local left = (running and work.lease_until or work.not_before) - now
  if left <= 0 or running and work.attempt == attempt then return nil end
  return {'running', second, work.created_at, left}
end
`;

/**
 * What scripts over work share. Work is one packed string without expiry until it is done; its effects are a hash beside
 * it, its past attempts a list. KEYS as `ofWork` names them; ARGV[2] is the name.
 */
export const work = `${clock}${nullable}${reading}
local work_key, effects_key, attempts_key = KEYS[1], KEYS[2], KEYS[3]
local due, parked, kept, aged = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local name = ARGV[2]
local attempts_kept = 100

local function save(work)
  work.fresh = false
  local packed = cmsgpack.pack(work)
  -- a child is kept until its parent is done, and then the sweep's
  if work.state ~= 'd' or work.parent then
    redis.call('SET', work_key, packed)
    return
  end
  local ttl = math.max(work.keep_until - now, 0) + ${sweepMs}
  -- the work goes last: what it leaves behind would be taken for the next one's
  redis.call('PEXPIRE', effects_key, ttl)
  redis.call('PEXPIRE', attempts_key, ttl)
  redis.call('SET', work_key, packed, 'PX', ttl)
end

local function member(work)
  return name .. ' ' .. work.created_at .. ' ' .. work.operation
end

-- A child past its keep is over when its parent is, which may lie on another server: whoever comes looks at that, and comes
-- again with what it saw, good for the child as it was then. nil: it has not looked yet.
local function is_over(work, seen)
  if not is_expired(work) then return false end
  if not work.parent then return true end
  local keep_until, parent = seen:match('^(%S+) (%a+)$')
  if keep_until ~= tostring(work.keep_until) then return nil end
  return parent == 'over'
end

local function look_at_parent(work)
  return {'parent', work.parent, tostring(work.keep_until)}
end

local function forget(work)
  redis.call('DEL', work_key, effects_key, attempts_key)
  for _, index in ipairs({due, parked, kept, aged}) do redis.call('ZREM', index, member(work)) end
end

local function lists(work, key)
  for _, listed in ipairs(work.keys) do
    if listed == key then return true end
  end
  return false
end

-- by: the person who decided it, if one did
local function note(work, what, why, by)
  local attempt = {now, what, by or work.owner, work.token, why}
  if by then attempt[6] = true end
  if redis.call('RPUSH', attempts_key, cmsgpack.pack(attempt)) <= attempts_kept then return end
  -- the oldest goes, but what a person decided stays as long as the work
  for _, past in ipairs(redis.call('LRANGE', attempts_key, 0, -1)) do
    if not cmsgpack.unpack(past)[6] then
      redis.call('LREM', attempts_key, 1, past)
      return
    end
  end
end

local function park(work, effect, why)
  note(work, 'parked', why)
  work.state, work.effect, work.why, work.ended_at = 'u', effect, why, now
  save(work)
  redis.call('ZREM', due, member(work))
  redis.call('ZADD', parked, now, member(work))
end

-- the work, if this fence still holds it: the id and the attempt are ARGV[3] and ARGV[4]
local function held()
  local work = load_work(work_key)
  if work and work.state == 'r' and work.id == ARGV[3] and work.attempt == ARGV[4] then return work end
  return nil
end

-- an effect: its place in the order of starting, started, pinned, settles, token, answer
local function effect_of(effect)
  local packed = redis.call('HGET', effects_key, effect)
  return packed and cmsgpack.unpack(packed)
end

local function set_effect(effect, record)
  redis.call('HSET', effects_key, effect, cmsgpack.pack(record))
end

local function effect_reply(effect, record)
  return {effect, record[2], record[3], record[4] - now, record[5], record[6]}
end

local function effects_reply()
  local flat, list = redis.call('HGETALL', effects_key), {}
  for i = 1, #flat, 2 do list[#list + 1] = {flat[i], cmsgpack.unpack(flat[i + 1])} end
  table.sort(list, function(a, b) return a[2][1] < b[2][1] end)
  for i, one in ipairs(list) do list[i] = effect_reply(one[1], one[2]) end
  return list
end

-- the first by name that is started and has no answer
local function started_effect()
  local first = false
  for _, effect in ipairs(effects_reply()) do
    if not effect[6] and (not first or effect[1] < first) then first = effect[1] end
  end
  return first
end
`;

/** Work gets its outcome, whether it was running or parked. */
export const finish = `
local function finish(work, outcome, refused, keep_ms)
  redis.call('ZREM', work.state == 'u' and parked or due, member(work))
  work.state, work.outcome, work.refused, work.ended_at = 'd', outcome, refused == '1', now
  work.keep_until = math.max(work.keep_until, now + keep_ms)
  -- the input was kept for a completer only
  work.input, work.why = false, false
  save(work)
end
`;

/** Parked work can be taken again, with what is recorded of it. */
export const reopen = `
local function reopen(work)
  work.state, work.resumes, work.not_before, work.lease_until = 'o', 0, 0, now
  work.ended_at, work.effect, work.why = false, false, false
  save(work)
  redis.call('ZREM', parked, member(work))
  redis.call('ZADD', due, now, member(work))
end

-- once its last lost answer is known it needs no person any more
local function reopen_if_answered(work)
  if work.state ~= 'u' or started_effect() then return end
  note(work, 'reopened', false)
  reopen(work)
end
`;
