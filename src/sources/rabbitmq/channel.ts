import { RepriseError } from "../../base/errors.ts";
import { labelOfError } from "../../base/label.ts";
import type { AmqpChannel, AmqpConnection } from "./shapes.ts";

/** A channel that confirms, the only one of its connection. */
export interface OpenChannel {
  readonly channel: AmqpChannel;
  /** @throws why nothing can be done over it any more */
  readonly check: () => void;
  /** With its connection. What was acknowledged is on its way before it; the rest goes back. */
  readonly close: () => Promise<void>;
}

/**
 * @param sent what is sent over it: for people
 * @param lost called when nothing can be done over it any more, perhaps several times
 */
export async function openChannel(
  connection: AmqpConnection,
  sent = "what is sent",
  lost: (reason: Error) => void = () => {},
): Promise<OpenChannel> {
  let reason: Error | undefined;
  let isClosed = false;
  const gone = (error?: unknown) => {
    reason ??= error instanceof Error ? error : new Error("RabbitMQ has closed the connection");
    lost(reason);
  };
  // whoever does not listen is ended by the error of a socket
  connection.on("error", gone);
  connection.on("close", (error) => {
    isClosed = true;
    gone(error);
  });
  const channel = await connection.createConfirmChannel();
  channel.on("error", gone);
  channel.on("close", gone);
  // said before the confirmation: a broker confirms also what it has no queue for
  channel.on("return", () => gone(new Error(`RabbitMQ has no queue for ${sent}`)));
  return {
    channel,
    check: () => {
      if (reason !== undefined) throw reason;
    },
    close: async () => {
      if (isClosed) return;
      // what is not acknowledged goes back with it, before anybody can ask for more
      await channel.close().catch(() => {});
      await connection.close();
    },
  };
}

/**
 * Each of them is there.
 * @throws REPRISE_SOURCE_AWAY, which says what is not. A queue that is missing closes the channel.
 */
export async function checkQueues(channel: AmqpChannel, source: string, queues: readonly string[]): Promise<void> {
  for (const queue of queues) {
    await channel.checkQueue(queue).catch((error: unknown) => {
      const doing = `looking for queue '${queue}': ${labelOfError(error)}`;
      throw new RepriseError("REPRISE_SOURCE_AWAY", { source, doing }, error);
    });
  }
}
