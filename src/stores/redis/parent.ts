import type { Name } from "../../base/names.ts";
import { integer, items, text } from "./replies.ts";
import { script, work } from "./script.ts";
import type { RedisStore } from "./store.ts";

const goingScript = script(`${work}
local work = load_work(work_key)
return work and work.state ~= 'd' and 1 or 0
`);

/**
 * Runs a script over work that may be a child past its keep. Where the script asks for its parent (`look_at_parent`), that is
 * looked at, and the script is run again with what was seen. A claim that finds the child held changes it, so that no look
 * from before decides any more: its parent may have begun anew since, and rely on it.
 */
export async function withParent<T>(store: RedisStore, run: (seen: string) => Promise<T>): Promise<T> {
  for (let seen = ""; ; ) {
    const reply = await run(seen);
    const [is, parent, keepUntil] = items(reply);
    if (text(is) !== "parent") return reply;
    const name = text(parent) as Name;
    const isGoing = integer(await store.run("look at parent", goingScript, store.keys.ofWork(name), [name])) === 1;
    seen = `${text(keepUntil)} ${isGoing ? "held" : "over"}`;
  }
}
