import { RepriseError } from "../../base/errors.ts";
import type { DeadLetter, DeadLetters } from "../../contract/source.ts";
import { instantIn, reasonIn, sentAtName } from "../letters.ts";
import { copyHeaders, headerNames, headerOf } from "./headers.ts";
import type { JetStream, JetStreamManager, NatsConnection, NatsHeaders, StoredMessage } from "./shapes.ts";

export interface LookedAt {
  readonly stream: string;
  readonly deadLetter: string;
  readonly headers: () => NatsHeaders;
  /** For people. */
  readonly source: string;
}

/** A letter's id is its place in the stream. */
export async function lookAtDeadLetters(
  connection: NatsConnection,
  client: JetStream,
  { stream, deadLetter, headers, source }: LookedAt,
): Promise<DeadLetters> {
  const manager = await client.jetstreamManager();
  const letters = await manager.streams.find(deadLetter);
  const find = (id: string): Promise<StoredMessage | null> => manager.streams.getMessage(letters, { seq: Number(id) });
  const remove = async (id: string): Promise<"done" | "gone"> => {
    try {
      return (await manager.streams.deleteMessage(letters, Number(id))) ? "done" : "gone";
    } catch (error) {
      // the server refuses to delete what is not there
      if ((await find(id)) === null) return "gone";
      throw error;
    }
  };
  return {
    list: async (most, ending) => {
      const found: DeadLetter[] = [];
      let seq = 1;
      while (found.length < most && ending?.aborted !== true) {
        const message = await manager.streams.getMessage(letters, { seq, next_by_subj: deadLetter });
        if (message === null) break;
        found.push(letterOf(message));
        seq = message.seq + 1;
      }
      return found;
    },
    redrive: async ({ id }) => {
      const message = await find(id);
      if (message === null) return "gone";
      const subject = headerOf(message.header, headerNames.subject) ?? (await onlySubjectOf(manager, stream, source));
      await client.publish(subject, message.data, { headers: copyHeaders(message.header, headers) });
      return remove(id);
    },
    discard: ({ id }) => remove(id),
    close: () => connection.close(),
  };
}

/** For what somebody else has set aside. */
async function onlySubjectOf(manager: JetStreamManager, stream: string, source: string): Promise<string> {
  const { subjects = [] } = (await manager.streams.info(stream)).config;
  const [only] = subjects;
  if (only !== undefined && subjects.length === 1 && !/[*>]/.test(only)) return only;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `dead letters of '${source}'`,
    why: "nobody wrote down under which subject the message was sent, and its stream has several.",
    mend: `Publish it with the tools of NATS, or give it the header ${headerNames.subject}.`,
  });
}

function letterOf({ seq, header, data, time }: StoredMessage): DeadLetter {
  const reason = reasonIn(headerOf(header, headerNames.reason));
  const setAsideAt = time.getTime();
  return {
    id: String(seq),
    read: () => JSON.parse(new TextDecoder().decode(data)),
    sentAt: instantIn(headerOf(header, sentAtName)) ?? setAsideAt,
    setAsideAt,
    reason,
    why: reason === null ? null : headerOf(header, headerNames.why),
    bytes: data.byteLength,
  };
}
