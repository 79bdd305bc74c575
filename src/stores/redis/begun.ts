import type { Name } from "../../base/names.ts";
import { items } from "./replies.ts";
import { script } from "./script.ts";
import type { RedisStore } from "./store.ts";

/**
 * Each work is entered in the list of its part and keep when it begins. What is there is told newest first from the one
 * end, and swept from the other: of works with one keep, what began first may be over first.
 */

const keepsScript = script(`
if #ARGV > 1 then redis.call('SADD', KEYS[1], unpack(ARGV, 2)) end
return redis.call('SMEMBERS', KEYS[1])
`);

const leaveScript = script("return redis.call('LREM', KEYS[1], -1, ARGV[2])");

/** Writes down that there are lists for this keep, before the first work is entered in one. */
export async function introduceKeep(store: RedisStore, keepMs: number): Promise<void> {
  const keep = Math.ceil(keepMs);
  if (store.keeps.has(keep)) return;
  await store.run("keep", keepsScript, [store.keys.keeps], [keep]);
  store.keeps.add(keep);
}

/** All keeps that there are lists for. This process's own are written again: a server may have lost what it acknowledged. */
export async function keepsOf(store: RedisStore): Promise<readonly number[]> {
  return items(await store.run("look", keepsScript, [store.keys.keeps], [...store.keeps])).map(Number);
}

/** Of work that was given back, lest each attempt that fails leave an entry until its keep is over. */
export async function leaveBegun(store: RedisStore, name: Name, keepMs: number, member: string): Promise<void> {
  await store.run("release", leaveScript, [store.keys.begun(name, keepMs)], [member]);
}
