import type { DeadLetter, DeadLetterReason, DeadLetters } from "../../contract/source.ts";
import { reasonIn, sentAtName } from "../letters.ts";
import { type Entry, entriesOf, fieldOf, sentAtOf, writtenAtOf } from "./entries.ts";
import { sendAgain } from "./scripts.ts";
import { disconnect, type StreamClient, send } from "./shapes.ts";

export interface LookedAt {
  readonly stream: string;
  readonly deadLetter: string;
  readonly field: string;
}

/** A letter's id is its entry's. */
export async function lookAtDeadLetters(
  client: StreamClient,
  { stream, deadLetter, field }: LookedAt,
): Promise<DeadLetters> {
  const range = async (from: string, to: string, most: number) =>
    entriesOf(await send(client, ["XRANGE", deadLetter, from, to, "COUNT", String(most)]));
  return {
    // a count of none is one of all, to some servers
    list: async (most) => (most < 1 ? [] : (await range("-", "+", most)).map((entry) => letterOf(entry, field))),
    redrive: async ({ id }) => {
      const [entry] = await range(id, id, 1);
      if (entry === undefined) return "gone";
      const command = ["EVAL", sendAgain, "2", deadLetter, stream, id, ...ownFields(entry)] as const;
      return Number(await send(client, command)) === 1 ? "done" : "gone";
    },
    discard: async ({ id }) => (Number(await send(client, ["XDEL", deadLetter, id])) === 1 ? "done" : "gone"),
    close: async () => disconnect(client),
  };
}

export interface SetAside {
  readonly reason: DeadLetterReason;
  readonly why: string;
}

/** What is written of an entry that is set aside: when it was sent first too, for its new id tells when it was set aside. */
export function setAsideFields(entry: Entry, { reason, why }: SetAside): readonly string[] {
  const { fields } = entry;
  const dated = fieldOf(entry, sentAtName) === null ? [sentAtName, String(sentAtOf(entry)), ...fields] : fields;
  return ["reason", reason, "why", why, ...dated];
}

/** Of an entry that a consumer of this library set aside, what stands first. */
function setAsideIn({ fields: [first, reason, second, why = ""] }: Entry): SetAside | null {
  const known = first === "reason" && second === "why" ? reasonIn(reason) : null;
  return known === null ? null : { reason: known, why };
}

function ownFields(entry: Entry): readonly string[] {
  return setAsideIn(entry) === null ? entry.fields : entry.fields.slice(4);
}

function letterOf(entry: Entry, field: string): DeadLetter {
  const { reason = null, why = null } = setAsideIn(entry) ?? {};
  const own: Entry = { id: entry.id, fields: ownFields(entry) };
  const body = fieldOf(own, field) ?? "";
  return {
    id: entry.id,
    read: () => JSON.parse(body),
    sentAt: sentAtOf(own),
    setAsideAt: writtenAtOf(entry),
    ...{ reason, why },
    bytes: Buffer.byteLength(body),
  };
}
