import type { Register, Registers } from "../../contract/registers.ts";
import { firstVersion } from "../first-version.ts";
import { integer, integerOrNull, items, nullable, text } from "./replies.ts";
import { clock, nullable as nullableInLua, script } from "./script.ts";
import type { RedisStore } from "./store.ts";

/**
 * All registers lie in one slot, for they are few and their names are listed in order: a hash of their values, each after its
 * version and a space; a sorted set of their names, all of one score, which makes it sort by their bytes; and one by when
 * they were written.
 */
const shared = `${clock}${nullableInLua}
local values, names, written = KEYS[1], KEYS[2], KEYS[3]
local function register_of(name)
  local value = redis.call('HGET', values, name)
  return value and {name, value, redis.call('ZSCORE', written, name)}
end
local function version_of(name)
  local found = redis.call('HGET', values, name)
  return found and found:match('^%d+')
end
local function remove(name)
  redis.call('HDEL', values, name)
  redis.call('ZREM', names, name)
  redis.call('ZREM', written, name)
end
`;

const readScript = script(`${shared}
return register_of(ARGV[2])
`);

const replaceScript = script(`${shared}
local name, value, version = ARGV[2], ARGV[3], nullable(ARGV[4])
if version_of(name) ~= version then return nil end
local next = version and version + 1 or ARGV[5]
redis.call('HSET', values, name, next .. ' ' .. value)
redis.call('ZADD', names, 0, name)
redis.call('ZADD', written, now, name)
return tonumber(next)
`);

const removeScript = script(`${shared}
local name, version = ARGV[2], ARGV[3]
if version_of(name) ~= version then return 0 end
remove(name)
return 1
`);

// no byte of UTF-8 is the last one there is
const listScript = script(`${shared}
local found = redis.call('ZRANGEBYLEX', names, ARGV[2], '(' .. ARGV[3] .. '\\255', 'LIMIT', 0, ARGV[4])
for i, name in ipairs(found) do found[i] = register_of(name) end
return found
`);

const sweepScript = script(`${shared}
local prefix, limit, swept = ARGV[2], tonumber(ARGV[4]), 0
for _, name in ipairs(redis.call('ZRANGEBYSCORE', written, '-inf', now - ARGV[3])) do
  if swept >= limit then break end
  if name:sub(1, #prefix) == prefix then
    remove(name)
    swept = swept + 1
  end
end
return swept
`);

export function redisRegisters(store: RedisStore): Registers<never> {
  const keys = store.keys.registers;
  return {
    read: async (name) => {
      const reply = await store.run("read register", readScript, keys, [name]);
      return reply === null ? null : registerOf(reply);
    },
    replace: async (name, value, version) => {
      const args = [name, value, nullable(version === null ? null : String(version)), firstVersion()];
      return integerOrNull(await store.run("replace register", replaceScript, keys, args));
    },
    remove: async (name, version) =>
      integer(await store.run("remove register", removeScript, keys, [name, String(version)])) === 1,
    list: async ({ prefix, after, limit }) => {
      const isPastPrefix = after !== null && Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0;
      const first = isPastPrefix ? `(${after}` : `[${prefix}`;
      return items(await store.run("list registers", listScript, keys, [first, prefix, limit])).map(registerOf);
    },
    sweep: async (prefix, keptMs, limit) =>
      integer(await store.run("sweep registers", sweepScript, keys, [prefix, Math.ceil(keptMs), limit])),
  };
}

function registerOf(reply: unknown): Register {
  const [name, stored, at] = items(reply).map(text);
  const [version = ""] = (stored ?? "").split(" ", 1);
  return {
    name: name ?? "",
    value: (stored ?? "").slice(version.length + 1),
    version: Number(version),
    at: Number(at),
  };
}
