import type { WorkId } from "../../base/names.ts";
import type { Claim, ClaimRequest, Fence, FindRequest, Open, Won } from "../../contract/ledger.ts";
import { holdingOf, namedBy } from "./binding.ts";
import { enter, enterWork } from "./entry.ts";
import { newIdOf, rememberId } from "./ids.ts";
import { rememberIntent } from "./intents.ts";
import { withParent } from "./parent.ts";
import { effectRecord, printed } from "./records.ts";
import { integer, items, text } from "./replies.ts";
import { script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

const claimScript = script(`${work}${enter}
local found = enter('r')
if found.answer then return found.answer end
local work = found.work
if found.is_new then return {'won', {}, work.id, 1, 0, 0, {}, 0} end

local answer = told(work, attempt)
if answer then
  table.insert(answer, 2, found.others)
  return answer
end

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
local answer = told(work, '')
if not answer then return {'open', {}, work.created_at} end
table.insert(answer, 2, {})
return answer
`);

/** Takes the work for the request's attempt. */
export async function claimWork(store: RedisStore, request: ClaimRequest): Promise<Claim> {
  const { name, keepMs } = request;
  const [claim] = await Promise.all([claimEntered(store, request), rememberIntent(store, request)]);
  if (claim.is === "won") await rememberId(store, claim.fence.id, name, keepMs);
  return claim;
}

async function claimEntered(store: RedisStore, request: ClaimRequest): Promise<Claim> {
  const { name, attempt, leaseMs, input, resuming } = request;
  const entry = { script: claimScript, id: newIdOf(name), attempt, leaseMs, input, resuming };
  const reply = await enterWork(store, request, entry);
  if ("is" in reply) return reply;
  if (text(reply[0]) !== "won") return stored(reply);
  const [, , id, token, resumes, tookOver, effects, cancelled] = reply;
  const fence: Fence = { name, id: text(id) as WorkId, attempt };
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
