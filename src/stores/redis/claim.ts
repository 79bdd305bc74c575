import type { WorkId } from "../../base/names.ts";
import type { Claim, ClaimRequest, Fence, FindRequest, Open, Won } from "../../contract/ledger.ts";
import { holdingOf, namedBy } from "./binding.ts";
import { enter, enterWork, runEntry } from "./entry.ts";
import { nameLength, newIdOf, rememberId } from "./ids.ts";
import { rememberIntent } from "./intents.ts";
import { withParent } from "./parent.ts";
import { effectRecord, printed, shownOf } from "./records.ts";
import { integer, items, text } from "./replies.ts";
import { clock, newWork, reading, script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

// work under a name that nobody used yet is written as it comes. Of what stands it tells what the longer script would,
// unless that would change it; nil: run that
const beginScript = script(`${clock}
local id, attempt, print, keep_ms, operation = ARGV[2], ARGV[3], ARGV[4], ARGV[6], ARGV[7]
-- left out where there are none
local parent, key, reserved_until = ARGV[10], ARGV[11], ARGV[12]
if not key or tonumber(reserved_until) >= now then
  local packed = cmsgpack.pack(${newWork({
    state: "'r'",
    id: "id",
    attempt: "attempt",
    token: "1",
    resumes: "0",
    lease_until: "now + ARGV[5]",
    not_before: "0",
    keep_ms: "tonumber(keep_ms)",
    keep_until: "now + keep_ms",
    created_at: "now",
    print: "print",
    operation: "operation",
    about: "ARGV[8]",
    owner: "ARGV[9]",
    parent: "parent ~= '' and parent or false",
    keys: "{key}",
    fresh: "true",
  })})
  if redis.call('SET', KEYS[1], packed, 'NX') then
    redis.call('RPUSH', KEYS[2], id:sub(1, ${nameLength}) .. ' ' .. now .. ' ' .. operation)
    return 1
  end
end
${reading}
local work = load_work(KEYS[1])
if key or not work or is_expired(work) then return nil end
if work.print ~= print then return {'mismatch', {}, work.created_at, 1} end
return told(work, attempt, {})
`);

const claimScript = script(`${work}${enter}
local found = enter('r')
if found.answer then return found.answer end
local work = found.work
if found.is_new then return {'won', {}, work.id, 1, 0, 0, {}, 0} end

local answer = told(work, attempt, found.others)
if answer then return answer end

local took_over = 0
if work.state ~= 'r' or work.attempt ~= attempt then
  if work.state == 'r' then
    note(work, 'taken-over', false)
    took_over = 1
  end
  work.attempt, work.token, work.resumes = attempt, work.token + 1, work.resumes + ARGV[9]
  work.state, work.not_before, work.owner = 'r', 0, ARGV[12]
  work.input = work.input or nullable(ARGV[8])
end
work.lease_until = now + lease
save(work)
redis.call('ZADD', due, work.lease_until, member(work))
return {'won', found.others, work.id, work.token, work.resumes, took_over, effects_reply(), work.cancelled and 1 or 0}
`);

const findScript = script(`${work}
local work = load_work(work_key)
if not work then return false end
local over = is_over(work, ARGV[4])
if over == nil then return look_at_parent(work) end
if over then return false end
if work.print ~= ARGV[3] then return {'mismatch', {}, work.created_at} end
return told(work, '', {}) or {'open', {}, work.created_at}
`);

/** Takes the work for the request's attempt. */
export async function claimWork(store: RedisStore, request: ClaimRequest): Promise<Claim> {
  if (request.intent === null) return claimEntered(store, request);
  const [claim] = await Promise.all([claimEntered(store, request), rememberIntent(store, request)]);
  return claim;
}

async function claimEntered(store: RedisStore, request: ClaimRequest): Promise<Claim> {
  const { name, attempt, keepMs, leaseMs, input, resuming } = request;
  const id = newIdOf(name);
  const entry = { script: claimScript, id, attempt, leaseMs, input, resuming };
  const reply = await enterWork(store, request, attempt, async (reservedUntil) => {
    // what keeps its input stands in more indexes, and what a completer claims stands already
    const begun = input !== null || resuming ? null : await begin(store, request, id, reservedUntil);
    return begun ?? runEntry(store, request, entry, reservedUntil);
  });
  if ("is" in reply) return reply;
  if (text(reply[0]) !== "won") return stored(reply);
  const [, , stands, token, resumes, tookOver, effects, cancelled] = reply;
  const fence: Fence = { name, id: text(stands) as WorkId, attempt };
  await rememberId(store, fence.id, name, keepMs);
  return {
    is: "won",
    fence,
    token: integer(token),
    resumes: integer(resumes),
    tookOver: integer(tookOver) === 1,
    cancelled: integer(cancelled) === 1,
    effects: items(effects).map(effectRecord),
  };
}

/** `null`: the longer script must run. */
async function begin(
  store: RedisStore,
  request: ClaimRequest,
  id: WorkId,
  reservedUntil: number,
): Promise<readonly unknown[] | null> {
  const { name, key, print, keepMs, about, parent, attempt, leaseMs } = request;
  const keep = Math.ceil(keepMs);
  const args = [id, attempt, printed(print), Math.ceil(leaseMs), keep, about.operation, shownOf(request), about.owner];
  if (key !== null) args.push(parent ?? "", key, reservedUntil);
  else if (parent !== null) args.push(parent);
  const reply = await store.run("claim", beginScript, [store.keys.work(name), store.keys.begun(name, keep)], args);
  if (reply === null) return null;
  return integer(reply) === 1 ? ["won", [], id, 1, 0, 0, [], 0] : items(reply);
}

/** What a claim would find, with nothing written. */
export async function findWork(store: RedisStore, request: FindRequest): Promise<Exclude<Claim, Won> | Open | null> {
  const { name, key, print } = request;
  const looked = withParent(store, (seen) =>
    store.run("find", findScript, store.keys.ofWork(name), [name, printed(print), seen]),
  );
  const named = key === null ? Promise.resolve(null) : namedBy(store, key);
  const [reply, owner] = await Promise.all([looked, named]);
  if (key !== null && owner !== null && owner !== name && (await holdingOf(store, owner, key, 0)) === "holds") {
    return { is: "mismatch", firstSeen: null };
  }
  if (reply === null) return null;
  const found = items(reply);
  return text(found[0]) === "open" ? { is: "open", since: integer(found[2]), retryAfterMs: 0 } : stored(found);
}

/** What a script told of work that cannot be taken. */
export function stored([is, , first, second]: readonly unknown[]): Exclude<Claim, Won> {
  switch (text(is)) {
    case "done":
      return { is: "done", outcome: text(first), at: integer(second) };
    case "unknown":
      return { is: "unknown", effect: text(first), since: integer(second) };
    case "running":
      return { is: "running", since: integer(first), retryAfterMs: integer(second) };
    default:
      return { is: "mismatch", firstSeen: integer(first) };
  }
}
