import { type Name, newWorkId, type WorkId } from "../../base/names.ts";
import { recordMs } from "./keys.ts";
import { textOrNull } from "./replies.ts";
import { script } from "./script.ts";
import type { RedisStore } from "./store.ts";

/**
 * An id that is made here begins with the name of its work, which whoever pins an answer must find by the id alone. One that
 * came with accepted work does not, and has a record that names the work. Like a key's it may lie on another server, and
 * each claim and renewal writes it anew; nobody relies on it before the first of these, or the acceptance, is answered.
 */

/** How much of an id that is made here is the name. */
export const nameLength = 32;
const tellingLength = nameLength + newWorkId().length;

const readScript = script("return redis.call('GET', KEYS[1])");
const writeScript = script(`
if ARGV[3] == '' then return redis.call('SET', KEYS[1], ARGV[2]) end
return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
`);
const introduceScript = script("return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3], 'NX')");
const deleteScript = script("return redis.call('DEL', KEYS[1])");

export function newIdOf(name: Name): WorkId {
  return `${name}${newWorkId()}` as WorkId;
}

/** `null`: no such work, or no longer. */
export async function nameOfId(store: RedisStore, id: WorkId): Promise<Name | null> {
  if (tells(id)) return id.slice(0, nameLength) as Name;
  return textOrNull(await store.run("find id", readScript, [store.keys.id(id)], [])) as Name | null;
}

/** Before it is known whether work stands under this id already: of that its record is left alone. */
export async function introduceId(store: RedisStore, id: WorkId, name: Name, keepMs: number): Promise<void> {
  if (!tells(id)) await store.run("keep id", introduceScript, [store.keys.id(id)], [name, recordMs(keepMs)]);
}

/** For `keepMs` and the longest run. `null`: until somebody says otherwise, for work that waits for a person. */
export async function rememberId(store: RedisStore, id: WorkId, name: Name, keepMs: number | null): Promise<void> {
  if (tells(id)) return;
  await store.run("keep id", writeScript, [store.keys.id(id)], [name, keepMs === null ? "" : recordMs(keepMs)]);
}

export async function forgetId(store: RedisStore, id: WorkId): Promise<void> {
  if (!tells(id)) await store.run("forget id", deleteScript, [store.keys.id(id)], []);
}

function tells(id: WorkId): boolean {
  return id.length === tellingLength;
}
