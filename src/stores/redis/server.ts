import { RepriseError } from "../../base/errors.ts";
import type { Send } from "./client.ts";
import { text } from "./replies.ts";

/** What somebody vouches for where a server does not tell. */
export interface Vouched {
  readonly persists?: true | undefined;
  readonly neverEvicts?: true | undefined;
}

interface Fault {
  readonly why: string;
  readonly mend: string;
  /** The command that mends it, where one does. */
  readonly command: string | null;
}

/**
 * A ledger must not forget: a server that may evict, or that keeps nothing over a restart, is a cache.
 * @throws REPRISE_LEDGER_UNSUITABLE
 */
export async function checkServer(ledger: string, send: Send, vouched: Vouched): Promise<void> {
  const [fault] = await findFaults(send, vouched);
  if (fault === undefined) return;
  const { why, mend } = fault;
  throw new RepriseError("REPRISE_LEDGER_UNSUITABLE", { ledger, why, mend });
}

/** What of the server's settings a ledger cannot live with. */
export async function findFaults(send: Send, vouched: Vouched): Promise<readonly Fault[]> {
  const info = await infoOf(send);
  const faults = [await evictionFault(send, info, vouched), await persistenceFault(send, info, vouched)];
  return faults.filter((fault) => fault !== null);
}

async function evictionFault(send: Send, info: Info, vouched: Vouched): Promise<Fault | null> {
  const policy = info.get("maxmemory_policy") ?? (await configOf(send, "maxmemory-policy"));
  const limit = info.get("maxmemory") ?? (await configOf(send, "maxmemory"));
  if (policy === undefined || limit === undefined) {
    if (vouched.neverEvicts === true) return null;
    return {
      why: "its server does not tell whether it evicts, as INFO and CONFIG are forbidden",
      mend: "If its maxmemory-policy is noeviction, say so: server: { neverEvicts: true }.",
      command: null,
    };
  }
  if (policy === "noeviction" || limit === "0") return null;
  return {
    why: `its server evicts when its memory is full (maxmemory-policy ${policy}), and what it forgets runs again`,
    mend: "Set maxmemory-policy to noeviction, or give the ledger a server of its own.",
    command: "CONFIG SET maxmemory-policy noeviction",
  };
}

async function persistenceFault(send: Send, info: Info, vouched: Vouched): Promise<Fault | null> {
  // the log of all writes may be on; else there are snapshots, or nothing
  if (info.get("aof_enabled") === "1") return null;
  const snapshots = await configOf(send, "save");
  if (snapshots === undefined) {
    if (vouched.persists === true) return null;
    return {
      why: "its server does not tell whether it writes to a disk, as CONFIG is forbidden",
      mend: "If it does, or its replicas take its place without a loss that matters, say so: server: { persists: true }.",
      command: null,
    };
  }
  if (snapshots !== "") return null;
  return {
    why: "its server writes nothing to a disk (appendonly no, save ''), so a restart forgets every outcome",
    mend: "Set appendonly to yes.",
    command: "CONFIG SET appendonly yes",
  };
}

type Info = ReadonlyMap<string, string>;

async function infoOf(send: Send): Promise<Info> {
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
