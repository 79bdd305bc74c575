import { RepriseError } from "../../base/errors.ts";
import type { AttemptId, Name, WorkId } from "../../base/names.ts";
import { pause } from "../../base/promise.ts";
import type { Mismatch, Running, WorkRequest } from "../../contract/ledger.ts";
import { introduceKeep } from "./begun.ts";
import { bindKey, holdingOf, refreshKeys, unbindKey } from "./binding.ts";
import { withParent } from "./parent.ts";
import { printed, shownOf } from "./records.ts";
import { integer, items, nullable, text } from "./replies.ts";
import { newWork, type Script } from "./script.ts";
import type { RedisStore } from "./store.ts";

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
local key, reserved_until = ARGV[13], tonumber(ARGV[14])

-- enters the work in this state, unless one stands under its name: then that is told, and is the key's from now on, with
-- its other keys, which must live as long. Or it tells an answer, which ends the script.
local function enter(state)
  local work = load_work(work_key)
  if work and is_expired(work) then
    local over = is_over(work, ARGV[16])
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
    work = ${newWork({
      state: "state",
      id: "ARGV[4]",
      attempt: "attempt",
      token: "1",
      resumes: "0",
      lease_until: "now + lease",
      not_before: "0",
      keep_ms: "keep_ms",
      keep_until: "now + keep_ms",
      created_at: "now",
      print: "print",
      operation: "ARGV[10]",
      about: "ARGV[11]",
      owner: "ARGV[12]",
      parent: "nullable(ARGV[15])",
      keys: "{key ~= '' and key or nil}",
      input: "nullable(ARGV[8])",
    })}
    save(work)
    redis.call('RPUSH', KEYS[8], member(work))
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
  end
  return {work = work, is_new = false, others = others}
end
`;

/**
 * Runs an entry for the work: the key's own script first, where there is a key, then the work's, which are told until when
 * the key is reserved. `by`: whose entry it is.
 */
export async function enterWork(
  store: RedisStore,
  { name, key, keepMs }: WorkRequest,
  by: AttemptId | WorkId,
  enter: (reservedUntil: number) => Promise<readonly unknown[]>,
): Promise<readonly unknown[] | Mismatch | Running> {
  if (!store.keeps.has(Math.ceil(keepMs))) await introduceKeep(store, keepMs);
  if (key === null) return enter(0);
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
    const reply = await enter(binding.until);
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

/** An entry by a script that includes `enter`. */
export async function runEntry(
  store: RedisStore,
  request: WorkRequest,
  entry: Entry,
  reservedUntil: number,
): Promise<readonly unknown[]> {
  const { name, key, print, keepMs, about, parent } = request;
  const { script, id, attempt, leaseMs, input, resuming } = entry;
  const keys = [...store.keys.ofWork(name), store.keys.begun(name, Math.ceil(keepMs))];
  const reply = await withParent(store, (seen) =>
    store.run("claim", script, keys, [
      name,
      attempt,
      id,
      printed(print),
      Math.ceil(leaseMs),
      Math.ceil(keepMs),
      nullable(input),
      resuming ? 1 : 0,
      about.operation,
      shownOf(request),
      about.owner,
      key ?? "",
      reservedUntil,
      nullable(parent),
      seen,
    ]),
  );
  return items(reply);
}
