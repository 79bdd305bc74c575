import { defaults } from "../../base/defaults.ts";
import type { WorkId } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Standing } from "../../contract/ledger.ts";
import { stored } from "./claim.ts";
import { enter, enterWork, runEntry } from "./entry.ts";
import { forgetId, introduceId, nameOfId } from "./ids.ts";
import { rememberIntent } from "./intents.ts";
import { progressOf } from "./records.ts";
import { integer, items, text, textOrNull } from "./replies.ts";
import { script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

// of running work without an input no lease tells how long a worker would wait; the last item: the id of what stands
const acceptScript = script(`${work}${enter}
local found = enter('o')
if found.answer then return found.answer end
local work = found.work
if work.state == 'o' or work.state == 'r' then
  if work.input then return {'accepted', found.others, work.id, work.created_at, work.id} end
  return {'running', found.others, work.created_at, ${defaults.ledger.unboundedRetryMs}, work.id}
end
local answer = told(work, '', found.others)
answer[5] = work.id
return answer
`);

const standingScript = script(`${work}
local work = load_work(work_key)
if not work or work.id ~= ARGV[3] then return false end
if work.state == 'd' or work.state == 'u' then return told(work, '', work.operation) end
return {'going', work.operation, work.created_at, work.state == 'r' and 1 or 0, work.cancelled and 1 or 0, work.progress}
`);

/** Enters the work as nobody's yet. What finds it by its id and its intent is written beside it, at the same time. */
export async function acceptWork(store: RedisStore, request: AcceptRequest): Promise<Acceptance> {
  const { id, name, keepMs, input } = request;
  const entry = { script: acceptScript, id, attempt: "", leaseMs: 0, input, resuming: false } as const;
  const [reply] = await Promise.all([
    enterWork(store, request, id, (reservedUntil) => runEntry(store, request, entry, reservedUntil)),
    introduceId(store, id, name, keepMs),
    rememberIntent(store, request),
  ]);
  if ("is" in reply) return reply;
  const standing = textOrNull(reply[4]);
  // where nothing is told of what stands, the id's record expires by itself
  if (standing !== null && standing !== id) await forgetId(store, id);
  if (text(reply[0]) !== "accepted") return stored(reply);
  return { is: "accepted", id: standing as WorkId, since: integer(reply[3]), isNew: standing === id };
}

export async function workStanding(store: RedisStore, id: WorkId): Promise<Standing | null> {
  const name = await nameOfId(store, id);
  if (name === null) return null;
  const reply = items(await store.run("standing", standingScript, store.keys.ofWork(name), [name, id]));
  if (reply.length === 0) return null;
  const operation = text(reply[1]);
  const [is, , first, running, cancelled, progress] = reply;
  switch (text(is)) {
    case "done":
      return { operation, is: "done", outcome: text(first), at: integer(running) };
    case "unknown":
      return { operation, is: "unknown", effect: text(first), since: integer(running) };
    default:
      return {
        operation,
        is: "going",
        since: integer(first),
        running: integer(running) === 1,
        cancelled: integer(cancelled) === 1,
        progress: progressOf(progress),
      };
  }
}
