import type { Grip, LeaseStore } from "../../contract/lease.ts";
import { integer, integerOrNull, items, text } from "./replies.ts";
import { clock, script } from "./script.ts";
import type { RedisStore } from "./store.ts";

// a hash: attempt, holder, token, until. It never expires, and stays when its lease is released: for how long somebody
// elsewhere remembers the last token, which the next one has to exceed, nobody knows
const acquireScript = script(`${clock}
local attempt, holder, ends = unpack(redis.call('HMGET', KEYS[1], 'attempt', 'holder', 'until'))
local left = (tonumber(ends) or now) - now
local is_ours = attempt == ARGV[2]
if left > 0 and not is_ours then return {0, holder, left} end
local token = redis.call('HINCRBY', KEYS[1], 'token', is_ours and 0 or 1)
redis.call('HSET', KEYS[1], 'attempt', ARGV[2], 'holder', ARGV[3], 'until', now + ARGV[4])
return {1, token}
`);

// a released lease has no end
const gripped = `
local function is_gripped()
  local attempt, ends = unpack(redis.call('HMGET', KEYS[1], 'attempt', 'until'))
  return attempt == ARGV[2] and ends ~= false
end
`;

const renewScript = script(`${clock}${gripped}
if not is_gripped() then return 0 end
redis.call('HSET', KEYS[1], 'until', now + ARGV[3])
return 1
`);

const releaseScript = script(`${gripped}
if not is_gripped() then return 0 end
redis.call('HDEL', KEYS[1], 'until')
return 1
`);

const lookScript = script(`${clock}
local token, holder, ends = unpack(redis.call('HMGET', KEYS[1], 'token', 'holder', 'until'))
if not token then return nil end
return {tonumber(token), holder, math.max(0, (tonumber(ends) or now) - now)}
`);

/**
 * What it acknowledges may be lost, tokens too, as by a failover to a replica that was behind; then two may hold a lease at
 * once, with the same token. It spares work, and fences nothing.
 */
export function redisLeases(store: RedisStore): LeaseStore<never> {
  const keyOf = ({ name }: Pick<Grip, "name">) => [store.keys.lease(name)];
  return {
    name: store.ledger,
    acquire: async (request) => {
      const { attempt, holder, leaseMs } = request;
      const args = [attempt, holder, Math.ceil(leaseMs)];
      const reply = items(await store.run("acquire lease", acquireScript, keyOf(request), args));
      const [isAcquired, tokenOrHolder, forMs] = reply;
      return integer(isAcquired) === 1
        ? { is: "acquired", token: integer(tokenOrHolder) }
        : { is: "held", holder: text(tokenOrHolder), forMs: integerOrNull(forMs) };
    },
    renew: async (grip, leaseMs) => {
      const args = [grip.attempt, Math.ceil(leaseMs)];
      return integer(await store.run("renew lease", renewScript, keyOf(grip), args)) === 1;
    },
    release: async (grip) =>
      integer(await store.run("release lease", releaseScript, keyOf(grip), [grip.attempt])) === 1,
    look: async (name) => {
      const reply = await store.run("look at lease", lookScript, keyOf({ name }), []);
      if (reply === null) return null;
      const [token, holder, forMs] = items(reply);
      return { token: integer(token), holder: text(holder), forMs: integer(forMs) };
    },
  };
}
