import { keepsOf } from "./begun.ts";
import { forgetWork } from "./endings.ts";
import { memberOf } from "./looking.ts";
import { items } from "./replies.ts";
import { clock, script } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Of what a list holds, the sweep takes at most so many at once: a script can hand on no more than some thousands. */
const mostTaken = 1_000;

// what is done of what began so long ago may be over; then those are told that are to be looked at, first what is over first
const sweepScript = script(`${clock}
local kept, aged, limit = KEYS[1], KEYS[2], tonumber(ARGV[2])
for i = 3, #KEYS do
  local keep_ms, taken, scored, created = tonumber(ARGV[i]), 0, {}, {}
  for _, entry in ipairs(redis.call('LRANGE', KEYS[i], 0, limit - 1)) do
    local created_at = entry:match('^%S+ (%d+)')
    local over = created_at + keep_ms
    if over > now then break end
    taken = taken + 1
    scored[2 * taken - 1], scored[2 * taken] = over, entry
    created[2 * taken - 1], created[2 * taken] = created_at, entry
  end
  if taken > 0 then
    redis.call('ZADD', kept, unpack(scored))
    redis.call('ZADD', aged, unpack(created))
    redis.call('LTRIM', KEYS[i], taken, -1)
  end
end
return redis.call('ZRANGEBYSCORE', kept, '-inf', now, 'LIMIT', 0, limit)
`);

/** One part after the other, until the limit. */
export async function sweepWork(store: RedisStore, limit: number): Promise<number> {
  const keeps = await keepsOf(store);
  let swept = 0;
  for (const part of store.keys.parts) {
    if (swept >= limit) break;
    const keys = [part.kept, part.aged, ...keeps.map((keepMs) => part.begun(keepMs))];
    const args = [Math.min(limit - swept, mostTaken), ...keeps];
    const members = items(await store.run("sweep", sweepScript, keys, args)).map(memberOf);
    const forgotten = await Promise.all(members.map(({ member, name }) => forgetWork(store, member, name)));
    swept += forgotten.filter((one) => one).length;
  }
  return swept;
}
