import type { Journal } from "../../contract/journal.ts";
import { items, text } from "./replies.ts";
import { script } from "./script.ts";
import type { RedisStore } from "./store.ts";

// members of one instant come in the order of their instances: their text is `at instance`
const appendScript = script(`
if redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 1 then redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3]) end
return 1
`);

const readScript = script(`
local entries = {}
for i, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf')) do
  entries[i] = {entry, redis.call('HGET', KEYS[2], entry)}
end
return entries
`);

const forgetScript = script(`
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])) do
  redis.call('HDEL', KEYS[2], entry)
  redis.call('ZREM', KEYS[1], entry)
end
return 1
`);

export function redisJournal(store: RedisStore): Journal {
  const { keys } = store;
  return {
    append: async ({ resolution, instance, at, body }) => {
      await store.run("journal", appendScript, keys.journal(resolution), [at, `${at} ${instance}`, body]);
    },
    read: async (resolution, since) => {
      const entries = items(await store.run("journal", readScript, keys.journal(resolution), [since]));
      return entries.map((entry) => {
        const [member, body] = items(entry).map(text);
        const [at = ""] = (member ?? "").split(" ", 1);
        return { resolution, instance: (member ?? "").slice(at.length + 1), at: Number(at), body: body ?? "" };
      });
    },
    forget: async (resolution, before) => {
      await store.run("journal", forgetScript, keys.journal(resolution), [before]);
    },
  };
}
