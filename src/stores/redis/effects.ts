import type { Name, WorkId } from "../../base/names.ts";
import type { EffectStart, Fence, Pinned, Progress, Started } from "../../contract/ledger.ts";
import { refreshKeys } from "./binding.ts";
import { nameOfId, rememberId } from "./ids.ts";
import { effectRecord } from "./records.ts";
import { integer, items, nullable, text } from "./replies.ts";
import { reopen, script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

const renewScript = script(`${work}
local work = held()
if not work then return {0} end
work.lease_until = now + ARGV[5]
work.progress = nullable(ARGV[6]) or work.progress
save(work)
redis.call('ZADD', due, work.lease_until, member(work))
return {1, work.keep_ms, work.keys, work.cancelled and 1 or 0}
`);

const startScript = script(`${work}
local work = held()
if not work then return {'fenced'} end
local present = effect_of(ARGV[5])
if present then return {'present', effect_reply(ARGV[5], present)} end
local place = redis.call('HLEN', effects_key)
if place == 0 then
  -- from now on somebody must come for it if its owner is gone
  redis.call('ZADD', due, work.lease_until, member(work))
  if work.fresh then save(work) end
end
set_effect(ARGV[5], {place, now, false, now + ARGV[6], work.token, false})
return {'started'}
`);

const restartScript = script(`${work}
local present = held() and effect_of(ARGV[5])
if not present or present[6] then return 0 end
present[4] = math.max(present[4], now + ARGV[6])
set_effect(ARGV[5], present)
return 1
`);

// needs no fence: whoever called knows the answer
const pinScript = script(`${work}${reopen}
local work = load_work(work_key)
local present = work and work.id == ARGV[3] and effect_of(ARGV[4])
if not present then return {'gone'} end
if present[6] then return {'present', present[6]} end
present[3], present[6] = now, ARGV[5]
set_effect(ARGV[4], present)
reopen_if_answered(work)
return {'pinned'}
`);

const fenceArgs = ({ name, id, attempt }: Fence) => [name, id, attempt] as const;

/** What names the work by something else than its name lives on with it. */
export async function renewLease(
  store: RedisStore,
  fence: Fence,
  leaseMs: number,
  progress: Progress | null,
): Promise<"renewed" | "cancelled" | "fenced"> {
  const { name, id } = fence;
  const args = [...fenceArgs(fence), Math.ceil(leaseMs), nullable(progress && JSON.stringify(progress))];
  const reply = items(await store.run("renew", renewScript, store.keys.ofWork(name), args));
  const [renewed, keepMs, keys, cancelled] = reply;
  if (integer(renewed) !== 1) return "fenced";
  await Promise.all([
    refreshKeys(store, items(keys).map(text) as Name[], name, integer(keepMs)),
    rememberId(store, id, name, integer(keepMs)),
  ]);
  return integer(cancelled) === 1 ? "cancelled" : "renewed";
}

export async function startEffect(store: RedisStore, fence: Fence, start: EffectStart): Promise<Started> {
  const args = [...fenceArgs(fence), start.effect, Math.ceil(start.settleMs)];
  const [is, record] = items(await store.run("start", startScript, store.keys.ofWork(fence.name), args));
  switch (text(is)) {
    case "started":
      return { is: "started" };
    case "present":
      return { is: "present", record: effectRecord(record) };
    default:
      return { is: "fenced" };
  }
}

export async function restartEffect(store: RedisStore, fence: Fence, start: EffectStart): Promise<boolean> {
  const args = [...fenceArgs(fence), start.effect, Math.ceil(start.settleMs)];
  return integer(await store.run("restart", restartScript, store.keys.ofWork(fence.name), args)) === 1;
}

export async function pinEffect(store: RedisStore, id: WorkId, effect: string, answer: string): Promise<Pinned> {
  const name = await nameOfId(store, id);
  if (name === null) return { is: "gone" };
  const [is, kept] = items(await store.run("pin", pinScript, store.keys.ofWork(name), [name, id, effect, answer]));
  switch (text(is)) {
    case "pinned":
      return { is: "pinned" };
    case "present":
      return { is: "present", answer: text(kept) };
    default:
      return { is: "gone" };
  }
}
