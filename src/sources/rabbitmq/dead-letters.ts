import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter, DeadLetters } from "../../contract/source.ts";
import { instantIn, reasonIn } from "../letters.ts";
import { checkQueues, openChannel } from "./channel.ts";
import { headerNames, propertiesOf, sentAtOf } from "./message.ts";
import type { AmqpChannel, AmqpConnection, AmqpMessage } from "./shapes.ts";

export interface LookedAt {
  readonly queue: string;
  readonly deadLetter: string;
}

/** Of a look, however few are asked for. */
const atLeast = 1_000;
/** Where so long nothing came, and nothing is ready, others were first. */
const quietMs = 20;

/**
 * A queue shows nothing to whoever does not receive it: what is listed is kept unacknowledged, and goes back to its place
 * when the connection closes, but behind what an earlier look has given back. A quorum queue keeps the order of what one
 * consumer was handed, and of a few consumers by their tags; what was asked for one by one comes back shuffled. So a look is
 * at a thousand at least, by consumers: then nothing of an earlier look stays before it.
 */
export async function lookAtDeadLetters(
  connection: AmqpConnection,
  { queue, deadLetter }: LookedAt,
): Promise<DeadLetters> {
  const { channel, check, close } = await openChannel(connection, "what is sent again");
  await checkQueues(channel, `rabbitmq ${queue}`, [queue, deadLetter]);
  const held = new Map<string, AmqpMessage>();
  let consumers = 0;

  /** Receives so many as are ready, as far as others leave them. */
  const receive = async (count: number, ending: AbortSignal | undefined): Promise<void> => {
    consumers += 1;
    const consumerTag = `look-${String(consumers).padStart(6, "0")}`;
    let came = 0;
    await channel.prefetch(count);
    const take = (message: AmqpMessage | null) => {
      if (message === null) return;
      came += 1;
      held.set(unusedId(message, held), message);
    };
    await channel.consume(deadLetter, take, { consumerTag });
    let [before, isQuiet] = [0, false];
    while (came < count && ending?.aborted !== true) {
      const { messageCount } = await channel.checkQueue(deadLetter);
      if (came > before) [before, isQuiet] = [came, false];
      else if (isQuiet && messageCount === 0) break;
      else {
        isQuiet = true;
        await pause(quietMs);
      }
    }
    // what is acknowledged later makes room for others, which nobody has asked for
    await channel.cancel(consumerTag);
  };

  return {
    list: async (most, ending) => {
      check();
      const looked = Math.max(most, atLeast);
      while (held.size < looked && ending?.aborted !== true) {
        const { messageCount } = await channel.checkQueue(deadLetter);
        if (messageCount === 0) break;
        await receive(Math.min(looked - held.size, messageCount), ending);
      }
      check();
      return [...held].slice(0, most).map(([id, message]) => letterOf(id, message));
    },
    redrive: async ({ id }) => {
      check();
      const message = held.get(id);
      if (message === undefined) return "gone";
      await sendAgain(message, channel, queue);
      // a broker confirms also what it has no queue for, and says so before
      check();
      channel.ack(message);
      held.delete(id);
      return "done";
    },
    discard: async ({ id }) => {
      check();
      const message = held.get(id);
      if (message === undefined) return "gone";
      channel.ack(message);
      held.delete(id);
      return "done";
    },
    close,
  };
}

/** Rejects where the broker has refused it, as a full queue does. */
function sendAgain(message: AmqpMessage, channel: AmqpChannel, queue: string): Promise<void> {
  const { headers = {} } = message.properties;
  // what was written when it was set aside, and what a broker counts of its former life
  const own = Object.entries(headers).filter(
    ([name]) => !ours.has(name) && !/^x-(death|first-death-|last-death-|delivery-count$|acquired-count$)/.test(name),
  );
  const options = { ...propertiesOf(message), headers: Object.fromEntries(own) };
  return new Promise((resolve, reject) => {
    channel.sendToQueue(queue, message.content, options, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error("RabbitMQ has refused what is sent again"));
    });
  });
}

const ours: ReadonlySet<string> = new Set(Object.values(headerNames));

function letterOf(id: string, message: AmqpMessage): DeadLetter {
  const { headers = {} } = message.properties;
  const reason = reasonIn(headers[headerNames.reason]);
  const why = headers[headerNames.why];
  return {
    id,
    read: () => JSON.parse(message.content.toString("utf8")),
    sentAt: sentAtOf(message),
    setAsideAt: instantIn(headers[headerNames.setAsideAt]),
    reason,
    why: reason !== null && typeof why === "string" ? why : null,
    bytes: message.content.byteLength,
  };
}

/** Written when it was set aside. Of what somebody else set aside: by its content, and by its place among its equals. */
function unusedId(message: AmqpMessage, used: ReadonlyMap<string, unknown>): string {
  const written = message.properties.headers?.[headerNames.id];
  const id = typeof written === "string" && written !== "" ? written : digest(message.content);
  let unused = id;
  for (let place = 2; used.has(unused); place += 1) unused = `${id}-${place}`;
  return unused;
}

const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex").slice(0, 20);
