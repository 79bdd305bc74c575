import type { Receiver } from "../../contract/source.ts";
import { type Entity, receiverOf } from "./entity.ts";
import { Held } from "./held.ts";
import { Line, within } from "./line.ts";
import { Lock, lockMsOf } from "./lock.ts";
import type { ServiceBusConnection, ServiceBusMessage } from "./shapes.ts";

/** Receives messages each of which has a lock of its own. */
export async function receiveFromQueue(client: ServiceBusConnection, entity: Entity, most: number): Promise<Receiver> {
  const receiver = receiverOf(client, entity);
  // whoever only subscribes is told of a queue that is missing as of one that comes back
  await receiver.peekMessages(1);
  const line = new Line();
  let subscription: { close(): Promise<void> } | undefined;
  const end = (error: unknown) => {
    if (line.isOver) return;
    line.break(error);
    subscription?.close().catch(() => {});
  };
  const take = (message: ServiceBusMessage) => {
    const isRepeated = (message.deliveryCount ?? 0) > 0;
    const giveBack = () => receiver.abandonMessage(message);
    const held = new Held({ line, message, settling: receiver, isRepeated, group: undefined, giveBack });
    const renew = () => receiver.renewMessageLock(message);
    const lock = new Lock(lockMsOf(message.lockedUntilUtc), renew, () => held.release());
    void held.released.then(() => lock.release());
    held.waitUnder(lock);
    line.add(held);
    // the client takes no other in its place before
    return held.released;
  };
  let attachments = 0;
  const subscribe = async () => {
    await line.whenAsked();
    if (line.isStopped) return;
    subscription = receiver.subscribe(
      {
        processMessage: take,
        processError: async ({ error }) => end(error),
        preInitialize: async () => {
          attachments += 1;
          // attached anew, its link would hand out as many again
          if (attachments > 1) end(new Error("the connection to Service Bus was lost"));
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: most },
    );
  };
  void subscribe().catch(end);
  return {
    pull: (asked, signal) => line.pull(asked, signal),
    // a subscription that is closed takes no more, and its link stands: what was pulled is settled over it
    stop: (first) => line.stop(async () => subscription?.close(), first),
    close: async () => {
      await line.end(async () => subscription?.close());
      await within(client.close());
    },
  };
}
