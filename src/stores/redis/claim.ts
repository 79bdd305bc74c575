import { RepriseError } from "../../base/errors.ts";
import type { Name, WorkId } from "../../base/names.ts";
import { pause } from "../../base/promise.ts";
import type { Claim, ClaimRequest, Fence, FindRequest, Open, Won } from "../../contract/ledger.ts";
import { bindKey, holdingOf, namedBy, refreshKeys, unbindKey } from "./binding.ts";
import { newIdOf } from "./keys.ts";
import { effectRecord, printed } from "./records.ts";
import { integer, items, nullable, text } from "./replies.ts";
import { script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Of the runs that a part lists, the newest so many: the page looks no further back. */
const runsListed = 1_000;
/** Between looks at a key that another claim has reserved: as long as its second command takes. */
const reservedPauseMs = { least: 2, most: 50 };

const claimScript = script(`${work}
local attempt, print, lease, keep_ms = ARGV[3], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local key, reserved_until = ARGV[14], tonumber(ARGV[15])
local work = load_work(work_key)
if work and is_expired(work) then
  forget(work)
  work = nil
end

if not work then
  if key ~= '' and reserved_until < now then return {'late'} end
  work = {state = 'r', print = print, id = ARGV[4], attempt = attempt, token = 1, resumes = 0, lease_until = now + lease,
    not_before = 0, keep_ms = keep_ms, keep_until = now + keep_ms, created_at = now, ended_at = false, effect = false,
    why = false, refused = false, outcome = false, input = nullable(ARGV[8]), operation = ARGV[10], about = ARGV[11],
    owner = ARGV[12], keys = {}}
  if key ~= '' then work.keys[1] = key end
  save(work)
  redis.call('ZADD', runs, now, member(work))
  -- now and then: what is too much is listed a little longer
  if now % 16 == 0 then redis.call('ZREMRANGEBYRANK', runs, 0, -1 - ARGV[13]) end
  redis.call('ZADD', due, work.lease_until, member(work))
  return {'won', {}, work.id, 1, 0, 0, {}}
end

local listed = key == '' or lists(work, key)
if work.print ~= print then
  return {'mismatch', {}, work.created_at, listed and 1 or 0}
end
-- the work lives longer for a further key, and so must its other keys
local others = {}
if not listed then
  if reserved_until < now then return {'late'} end
  for i, other in ipairs(work.keys) do others[i] = other end
  work.keys[#work.keys + 1] = key
  work.keep_until = math.max(work.keep_until, now + keep_ms)
  save(work)
  if work.state == 'd' then redis.call('ZADD', kept, work.keep_until, member(work)) end
end

local answer = told(work, attempt)
if answer then
  table.insert(answer, 2, others)
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
return {'won', others, work.id, work.token, work.resumes, took_over, effects_reply()}
`);

const findScript = script(`${work}
local work = load_work(work_key)
if not work or is_expired(work) then return false end
if work.print ~= ARGV[3] then return {'mismatch', {}, work.created_at} end
local answer = told(work, '')
if not answer then return {'open', {}, work.created_at} end
table.insert(answer, 2, {})
return answer
`);

/** Takes the work for the request's attempt: the key's own script first, where there is a key, then the work's. */
export async function claimWork(store: RedisStore, request: ClaimRequest): Promise<Claim> {
  const { name, key, attempt, keepMs } = request;
  if (key === null) return answerOf(await runClaim(store, request, 0), request);
  const patientUntil = store.clock.monotonic() + store.deadlineMs;
  let voided = "";
  for (let waitMs = reservedPauseMs.least; ; ) {
    const binding = await bindKey(store, key, name, { attempt, keepMs, void: voided });
    if (binding.is === "other") {
      const holding = await holdingOf(store, binding.name, key, binding.until);
      if (holding === "holds") return { is: "mismatch", firstSeen: null };
      if (holding === "void") voided = binding.raw;
      else if (store.clock.monotonic() < patientUntil) {
        await pause(store.clock, waitMs);
        waitMs = Math.min(waitMs * 2, reservedPauseMs.most);
      } else {
        // its claim died between the two scripts, and the key is free again when the reservation is over
        return { is: "running", since: store.clock.now(), retryAfterMs: store.deadlineMs };
      }
      continue;
    }
    const reply = await runClaim(store, request, binding.until);
    if (text(reply[0]) === "late") {
      // it took longer than the reservation: nobody knows any more whose the key is
      if (store.clock.monotonic() < patientUntil) continue;
      throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger: store.ledger, afterMs: store.deadlineMs });
    }
    const answer = answerOf(reply, request);
    if (answer.is === "mismatch" && integer(reply[3]) === 0) await unbindKey(store, key, name, { attempt });
    await refreshKeys(store, items(reply[1]).map(text) as Name[], name, keepMs);
    return answer;
  }
}

/** What a claim would find, with nothing written. */
export async function findWork(store: RedisStore, request: FindRequest): Promise<Exclude<Claim, Won> | Open | null> {
  const { name, key, print } = request;
  const looked = store.run("find", findScript, store.keys.ofWork(name), [name, printed(print)]);
  const named = key === null ? Promise.resolve(null) : namedBy(store, key);
  const [reply, owner] = await Promise.all([looked, named]);
  if (key !== null && owner !== null && owner !== name && (await holdingOf(store, owner, key, 0)) === "holds") {
    return { is: "mismatch", firstSeen: null };
  }
  if (reply === null) return null;
  const found = items(reply);
  return text(found[0]) === "open" ? { is: "open", since: integer(found[2]), retryAfterMs: 0 } : stored(found);
}

async function runClaim(store: RedisStore, request: ClaimRequest, reservedUntil: number): Promise<readonly unknown[]> {
  const { name, key, attempt, print, leaseMs, keepMs, input, resuming, about } = request;
  const reply = await store.run("claim", claimScript, store.keys.ofWork(name), [
    name,
    attempt,
    newIdOf(name),
    printed(print),
    Math.ceil(leaseMs),
    Math.ceil(keepMs),
    nullable(input),
    resuming ? 1 : 0,
    about.operation,
    JSON.stringify([about.identity, about.principal, about.key]),
    about.owner,
    runsListed,
    key ?? "",
    reservedUntil,
  ]);
  return items(reply);
}

function answerOf(reply: readonly unknown[], request: ClaimRequest): Claim {
  if (text(reply[0]) !== "won") return stored(reply);
  const [, , id, token, resumes, tookOver, effects] = reply;
  const fence: Fence = { name: request.name, id: text(id) as WorkId, attempt: request.attempt };
  return {
    is: "won",
    fence,
    token: integer(token),
    resumes: integer(resumes),
    tookOver: integer(tookOver) === 1,
    effects: items(effects).map(effectRecord),
  };
}

function stored([is, , first, second]: readonly unknown[]): Exclude<Claim, Won> {
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
