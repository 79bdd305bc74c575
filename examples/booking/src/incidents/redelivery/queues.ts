import amqplib from "amqplib";
import type { WorkerStart } from "./worker.ts";

/** What a run has made at the broker. */
export async function dropQueues({ url, prefix }: NonNullable<WorkerStart["rabbitmq"]>): Promise<void> {
  const connection = await amqplib.connect(url);
  const channel = await connection.createChannel();
  for (const name of ["seat.released", "seat.released.dead"]) await channel.deleteQueue(prefix + name);
  await connection.close();
}
