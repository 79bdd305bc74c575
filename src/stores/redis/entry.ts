import { RepriseError } from "../../base/errors.ts";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import { pause } from "../../base/promise.ts";
import type { Mismatch, Running, WorkRequest } from "../../contract/ledger.ts";
import { bindKey, holdingOf, refreshKeys, unbindKey } from "./binding.ts";
import { withParent } from "./parent.ts";
import { printed } from "./records.ts";
import { integer, items, nullable, text } from "./replies.ts";
import type { Script } from "./script.ts";
import type { RedisStore } from "./store.ts";

/** Of the runs that a part lists, the newest so many: the page looks no further back. */
const runsListed = 1_000;
/** Between looks at a key that another claim has reserved: as long as its second command takes. */
const reservedPauseMs = { least: 2, most: 50 };

/** New work, as a script takes it. */
export interface Entry {
  readonly script: Script;
  readonly id: WorkId;
  /** `""`: nobody's yet. */
  readonly attempt: AttemptId | "";
  readonly leaseMs: number;
  readonly input: string | null;
  readonly resuming: boolean;
}

/** In Lua, for scripts that `enterWork` runs. */
export const enter = `
local attempt, print, lease, keep_ms = ARGV[3], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local key, reserved_until = ARGV[14], tonumber(ARGV[15])

-- enters the work in this state, unless one stands under its name: then that is told, and is the key's from now on, with
-- its other keys, which must live as long. Or it tells an answer, which ends the script.
local function enter(state)
  local work = load_work(work_key)
  if work and is_expired(work) then
    local over = is_over(work, ARGV[18])
    if over == nil then return {answer = look_at_parent(work)} end
    if over then
      forget(work)
      work = nil
    else
      work.keep_until = now
      save(work)
    end
  end

  if not work then
    if key ~= '' and reserved_until < now then return {answer = {'late'}} end
    work = new_work()
    work.state, work.print, work.id, work.attempt, work.token = state, print, ARGV[4], attempt, 1
    work.resumes, work.lease_until, work.not_before = 0, now + lease, 0
    work.keep_ms, work.keep_until, work.created_at = keep_ms, now + keep_ms, now
    work.input, work.operation, work.about, work.owner = nullable(ARGV[8]), ARGV[10], ARGV[11], ARGV[12]
    work.keys, work.parent, work.intent = {}, nullable(ARGV[16]), nullable(ARGV[17])
    if key ~= '' then work.keys[1] = key end
    save(work)
    redis.call('ZADD', runs, now, member(work))
    -- now and then: what is too much is listed a little longer
    if now % 16 == 0 then redis.call('ZREMRANGEBYRANK', runs, 0, -1 - ARGV[13]) end
    redis.call('ZADD', due, work.lease_until, member(work))
    return {work = work, is_new = true, others = {}}
  end

  local listed = key == '' or lists(work, key)
  if work.print ~= print then return {answer = {'mismatch', {}, work.created_at, listed and 1 or 0}} end
  -- the work lives longer for a further key, and so must its other keys
  local others = {}
  if not listed then
    if reserved_until < now then return {answer = {'late'}} end
    for i, other in ipairs(work.keys) do others[i] = other end
    work.keys[#work.keys + 1] = key
    work.keep_until = math.max(work.keep_until, now + keep_ms)
    save(work)
    if work.state == 'd' then redis.call('ZADD', kept, work.keep_until, member(work)) end
  end
  return {work = work, is_new = false, others = others}
end
`;

/** Runs the entry's script for the work: the key's own script first, where there is a key, then the work's. */
export async function enterWork(
  store: RedisStore,
  request: WorkRequest,
  entry: Entry,
): Promise<readonly unknown[] | Mismatch | Running> {
  const { name, key, keepMs } = request;
  if (key === null) return runEntry(store, request, entry, 0);
  const by = entry.attempt === "" ? entry.id : entry.attempt;
  const patientUntil = store.clock.monotonic() + store.deadlineMs;
  let voided = "";
  for (let waitMs = reservedPauseMs.least; ; ) {
    const binding = await bindKey(store, key, name, { by, keepMs, void: voided });
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
    const reply = await runEntry(store, request, entry, binding.until);
    const is = text(reply[0]);
    if (is === "late") {
      // it took longer than the reservation: nobody knows any more whose the key is
      if (store.clock.monotonic() < patientUntil) continue;
      throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger: store.ledger, afterMs: store.deadlineMs });
    }
    if (is === "mismatch" && integer(reply[3]) === 0) await unbindKey(store, key, name, { by });
    await refreshKeys(store, items(reply[1]).map(text) as Name[], name, keepMs);
    return reply;
  }
}

async function runEntry(
  store: RedisStore,
  request: WorkRequest,
  entry: Entry,
  reservedUntil: number,
): Promise<readonly unknown[]> {
  const { name, key, print, keepMs, about, parent, intent } = request;
  const { script, id, attempt, leaseMs, input, resuming } = entry;
  const reply = await withParent(store, (seen) =>
    store.run("claim", script, store.keys.ofWork(name), [
      name,
      attempt,
      id,
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
      nullable(parent),
      nullable(intent),
      seen,
    ]),
  );
  return items(reply);
}
