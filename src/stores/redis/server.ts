import { RepriseError } from "../../base/errors.ts";
import type { Send } from "./client.ts";
import { text } from "./replies.ts";

/** What somebody vouches for where a server does not tell. */
export interface Vouched {
  readonly persists?: true | undefined;
  readonly neverEvicts?: true | undefined;
}

/**
 * A ledger must not forget: a server that may evict, or that keeps nothing over a restart, is a cache.
 * @throws REPRISE_LEDGER_UNSUITABLE
 */
export async function checkServer(ledger: string, send: Send, vouched: Vouched): Promise<void> {
  const unsuitable = (why: string, mend: string) =>
    new RepriseError("REPRISE_LEDGER_UNSUITABLE", { ledger, why, mend });
  const info = await infoOf(send);

  const policy = info.get("maxmemory_policy") ?? (await configOf(send, "maxmemory-policy"));
  const limit = info.get("maxmemory") ?? (await configOf(send, "maxmemory"));
  if (policy === undefined || limit === undefined) {
    if (vouched.neverEvicts !== true) {
      throw unsuitable(
        "its server does not tell whether it evicts, as INFO and CONFIG are forbidden",
        "If its maxmemory-policy is noeviction, say so: server: { neverEvicts: true }.",
      );
    }
  } else if (policy !== "noeviction" && limit !== "0") {
    throw unsuitable(
      `its server evicts when its memory is full (maxmemory-policy ${policy}), and what it forgets runs again`,
      "Set maxmemory-policy to noeviction, or give the ledger a server of its own.",
    );
  }

  // the log of all writes may be on; else there are snapshots, or nothing
  if (info.get("aof_enabled") === "1") return;
  const snapshots = await configOf(send, "save");
  if (snapshots === undefined) {
    if (vouched.persists === true) return;
    throw unsuitable(
      "its server does not tell whether it writes to a disk, as CONFIG is forbidden",
      "If it does, or its replicas take its place without a loss that matters, say so: server: { persists: true }.",
    );
  }
  if (snapshots === "") {
    throw unsuitable(
      "its server writes nothing to a disk (appendonly no, save ''), so a restart forgets every outcome",
      "Set appendonly to yes.",
    );
  }
}

async function infoOf(send: Send): Promise<ReadonlyMap<string, string>> {
  const answer = await unlessForbidden(() => send(["info"]));
  if (answer === undefined) return new Map();
  const lines = text(answer).split("\r\n");
  return new Map(
    lines
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
}

async function configOf(send: Send, name: string): Promise<string | undefined> {
  const answer = await unlessForbidden(() => send(["config", "get", name]));
  if (answer === undefined || answer === null) return undefined;
  // a list of names and values, or under RESP 3 a map of them
  const pairs = Array.isArray(answer) ? [[answer[0], answer[1]]] : [...entriesOf(answer)];
  const [, value] = pairs.find(([found]) => text(found) === name) ?? [];
  return value === undefined ? undefined : text(value);
}

function entriesOf(answer: object): Iterable<readonly [unknown, unknown]> {
  return answer instanceof Map ? answer.entries() : Object.entries(answer);
}

/** `undefined`: the server does not let the client ask. */
async function unlessForbidden(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/** By its permissions, or since its provider has taken the command away. */
function isForbidden(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && ["NOPERM", "ERR"].includes(cause.message);
}
