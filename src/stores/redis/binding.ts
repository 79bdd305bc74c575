import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import { recordMs } from "./keys.ts";
import { withParent } from "./parent.ts";
import { integer, items, text, textOrNull } from "./replies.ts";
import { clock, script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

/**
 * Whose a caller's key is. Two records decide it together: the key's own, which names one work, and the work's, which
 * lists its keys. A key belongs to the work that it names and that lists it; so a key whose work is gone, or that nobody
 * listed, is free.
 *
 * The two may lie on different servers of a cluster. Between naming and listing the key is *reserved*: nobody else names
 * it until `until`, and from then on the work lists it no more. Both sides of that are judged by the clock of the server
 * that holds the work.
 */

/** A claim's way from one script to the next takes a fraction of it; after a crash in between the key is held so long. */
const reservedDeadlines = 2;

export type Binding =
  | { readonly is: "bound"; readonly until: number }
  /** `raw`: the record, to take it over by if it turns out to be void. */
  | { readonly is: "other"; readonly name: Name; readonly until: number; readonly raw: string };

// the record: name, reserved until, by whom; '*': several claims may be on their way
const bindScript = script(`${clock}
local name, attempt, reserve, ttl, void = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local raw = redis.call('GET', KEYS[1])
local until_then = now + reserve
if raw then
  local named, reserved, by = raw:match('^(%x+) (%d+) (%S+)$')
  if named ~= name then
    if raw ~= void then return {0, named, tonumber(reserved), raw} end
  else
    -- twice the reservation: the clock of the server that has the work may be behind
    if tonumber(reserved) + reserve >= now and by ~= attempt then attempt = '*' end
    until_then = math.max(until_then, tonumber(reserved))
    ttl = math.max(ttl, redis.call('PTTL', KEYS[1]))
  end
end
redis.call('SET', KEYS[1], name .. ' ' .. until_then .. ' ' .. attempt, 'PX', ttl)
return {1, until_then}
`);

const ownerScript = script(`
local raw = redis.call('GET', KEYS[1])
return raw and raw:match('^%x+')
`);

const unbindScript = script(`
local raw = redis.call('GET', KEYS[1])
if not raw then return 0 end
local named, reserved, by = raw:match('^(%x+) (%d+) (%S+)$')
if named ~= ARGV[2] then return 0 end
if ARGV[3] ~= '' and by ~= ARGV[3] then return 0 end
if ARGV[4] ~= '' and tonumber(reserved) >= tonumber(ARGV[4]) then return 0 end
return redis.call('DEL', KEYS[1])
`);

const refreshScript = script(`
local raw = redis.call('GET', KEYS[1])
if not raw or raw:match('^%x+') ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[1])))
`);

const holdingScript = script(`${work}
local work = load_work(work_key)
local over = not work or not lists(work, ARGV[3]) or is_over(work, ARGV[5])
if over == nil then return look_at_parent(work) end
if not over then return 'holds' end
return now > tonumber(ARGV[4]) and 'void' or 'reserved'
`);

/** Names `name` as the work of the key, unless it is another's. `void`: what the key's record may be replaced by. */
export async function bindKey(
  store: RedisStore,
  key: Name,
  name: Name,
  claim: { readonly by: AttemptId | WorkId; readonly keepMs: number; readonly void: string },
): Promise<Binding> {
  const reserveMs = store.deadlineMs * reservedDeadlines;
  const args = [name, claim.by, reserveMs, recordMs(claim.keepMs), claim.void];
  const reply = items(await store.run("bind key", bindScript, [store.keys.binding(key)], args));
  if (integer(reply[0]) === 1) return { is: "bound", until: integer(reply[1]) };
  return { is: "other", name: text(reply[1]) as Name, until: integer(reply[2]), raw: text(reply[3]) };
}

/** The work that the key names, whether or not that lists it. */
export async function namedBy(store: RedisStore, key: Name): Promise<Name | null> {
  return textOrNull(await store.run("find key", ownerScript, [store.keys.binding(key)], [])) as Name | null;
}

/** `void`: the work does not list the key, and nobody's claim can any more on the strength of what was reserved. */
export async function holdingOf(
  store: RedisStore,
  name: Name,
  key: Name,
  until: number,
): Promise<"holds" | "reserved" | "void"> {
  const held = await withParent(store, (seen) =>
    store.run("look at key", holdingScript, store.keys.ofWork(name), [name, key, until, seen]),
  );
  return text(held) as "holds" | "reserved" | "void";
}

/**
 * Frees a key that the work does not list: at once where this attempt alone had named it, or where nobody has named it
 * for as long as a reservation before `before`. Elsewhere a claim may be on its way; the next one that asks finds out.
 */
export async function unbindKey(
  store: RedisStore,
  key: Name,
  name: Name,
  unless: { readonly by: AttemptId | WorkId } | { readonly before: number },
): Promise<void> {
  const conditions = "by" in unless ? [unless.by, ""] : ["", unless.before];
  await store.run("unbind key", unbindScript, [store.keys.binding(key)], [name, ...conditions]);
}

/** Makes the records of keys live as long as their work, which goes on. */
export async function refreshKeys(store: RedisStore, keys: readonly Name[], name: Name, keepMs: number): Promise<void> {
  const ttl = recordMs(keepMs);
  await Promise.all(keys.map((key) => store.run("refresh key", refreshScript, [store.keys.binding(key)], [name, ttl])));
}
