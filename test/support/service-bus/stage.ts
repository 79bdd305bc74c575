import { ServiceBusClient } from "@azure/service-bus";
import rhea, { type Message } from "rhea";
import { type ServiceBusOptions, serviceBus } from "../../../src/sources/service-bus/index.ts";
import type { SetAside, SourceStage } from "../../../src/testing/index.ts";
import { startForwarder } from "../forwarder.ts";
import type { BusQueue, BusQueueOptions } from "./bus-queue.ts";
import { type ServiceBusServer, startServiceBus } from "./server.ts";

export interface ServiceBusStage extends SourceStage {
  readonly server: ServiceBusServer;
  readonly queue: BusQueue;
  /** As an application has it, past what can be cut. */
  readonly client: ServiceBusClient;
  readonly options: ServiceBusOptions & { readonly queue: string };
  /** From now on nothing passes to the source or from it, and nobody is told. */
  readonly freeze: () => void;
}

/** A server of its own with one queue. With sessions all that is sent is of one. */
export async function serviceBusStage(asked: BusQueueOptions = {}): Promise<ServiceBusStage> {
  const server = await startServiceBus();
  // a lock that a busy machine keeps; what a suite gives back, it gives back often
  const queue = server.add("seats", { lockMs: 3_000, maxDeliveries: 100, ...asked });
  const forwarder = await startForwarder({ host: "127.0.0.1", port: server.port });
  const quick = { retryOptions: { maxRetries: 0, timeoutInMs: 10_000 } };
  const client = new ServiceBusClient(server.connectionString(), quick);
  const sender = client.createSender("seats");
  const options = {
    connect: () => new ServiceBusClient(server.connectionString(forwarder.port), quick),
    queue: "seats",
    sessions: queue.hasSessions ? 1 : false,
  };
  return {
    ...{ server, queue, client, options },
    source: serviceBus(options),
    send: async (body) => {
      const session = queue.hasSessions ? { sessionId: "one" } : {};
      await sender.sendMessages({ body: Buffer.from(body), ...session });
    },
    setAside: async (count) => {
      // the client's own renewal fails where a message has no id
      const quiet = { maxAutoLockRenewalDurationInMs: 0, skipParsingBodyAsJson: true };
      const receiver = client.createReceiver("seats", { subQueueType: "deadLetter", ...quiet });
      const all: SetAside[] = [];
      while (all.length < count) {
        for (const message of await receiver.receiveMessages(count - all.length, { maxWaitTimeInMs: 10_000 })) {
          await receiver.completeMessage(message);
          all.push({ body: String(message.body), reason: message.deadLetterReason as SetAside["reason"] });
        }
      }
      return all;
    },
    sendAside: async (body) => {
      const session = queue.hasSessions ? { group_id: "one" } : {};
      const data = (rhea.message as unknown as { data_section: (bytes: Buffer) => Message["body"] }).data_section;
      queue.deadLetters?.enqueue({ body: data(Buffer.from(body)), ...session });
    },
    cut: async () => forwarder.cut(),
    freeze: () => forwarder.freeze("all"),
    close: async () => {
      await client.close();
      await forwarder.close();
      await server.close();
    },
  };
}
