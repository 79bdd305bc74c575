import amqplib from "amqplib";
import { describe, expect, test as plain } from "vitest";
import { rabbitmq } from "../../src/sources/rabbitmq/index.ts";
import { pull } from "../../src/testing/source-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import { rabbitmqStage, rabbitmqUrl, rabbitmqVersion } from "../support/rabbitmq.ts";

const version = await rabbitmqVersion();

/** A queue whose connections are counted, and what deletes queues. */
async function stand() {
  const stage = await rabbitmqStage();
  const admin = await amqplib.connect(rabbitmqUrl);
  const channel = await admin.createChannel();
  const deadLetter = `${stage.queue}.dead`;
  let open = 0;
  const connect = async () => {
    const connection = await amqplib.connect(rabbitmqUrl);
    open += 1;
    connection.on("close", () => {
      open -= 1;
    });
    return connection;
  };
  return {
    ...stage,
    ...{ channel, deadLetter },
    source: rabbitmq({ connect, queue: stage.queue, deadLetter }),
    openConnections: () => open,
    close: async () => {
      await admin.close();
      await stage.close();
    },
  };
}

const test = (name: string, run: (stage: Awaited<ReturnType<typeof stand>>) => Promise<void>) =>
  plain(name, async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no RabbitMQ answers`);
    const stage = await stand();
    await run(stage).finally(stage.close);
  });

describe("a receiver of RabbitMQ", () => {
  test("whose queue is deleted rejects, and keeps no connection once it is closed", async (stage) => {
    const receiver = await stage.source.open(4);
    const waiting = expect(receiver.pull(1, AbortSignal.timeout(10_000))).rejects.toThrow(/queue is gone/);
    await stage.channel.deleteQueue(stage.queue);
    await waiting;
    await receiver.close();
    await expect.poll(stage.openConnections).toBe(0);
  });

  test("whose channel the broker closes rejects, and keeps no connection once it is closed", async (stage) => {
    await stage.send("1");
    const receiver = await stage.source.open(4);
    const [delivery] = await pull(receiver, 1);
    const waiting = expect(receiver.pull(1, AbortSignal.timeout(10_000))).rejects.toThrow(/unknown delivery tag/);
    await delivery?.settle({ is: "acknowledge" });
    await delivery?.settle({ is: "acknowledge" });
    await waiting;
    await receiver.close();
    await expect.poll(stage.openConnections).toBe(0);
  });

  test("keeps a message that it cannot set aside, for the queue for those is gone", async (stage) => {
    await stage.send("no json");
    const receiver = await stage.source.open(4);
    const [delivery] = await pull(receiver, 1);
    await stage.channel.deleteQueue(stage.deadLetter);
    const why = "its body cannot be read";
    expect(await delivery?.settle({ is: "dead-letter", reason: "invalid", why })).toBe("lost");
    await expect(receiver.pull(1, AbortSignal.timeout(10_000))).rejects.toThrow(/set aside/);
    await receiver.close();
    await expect.poll(async () => (await stage.channel.checkQueue(stage.queue)).messageCount).toBe(1);
    // it receives nothing until there is one again
    await expect(stage.source.open(4)).rejects.toThrow(/NOT_FOUND/);
  });
});

plain("nothing ends the redelivery of a queue's messages", async () => {
  const connect = () => Promise.reject(new Error("it connects to tell that"));
  expect(await rabbitmq({ connect, queue: "seats", deadLetter: "dead" }).horizon()).toBeNull();
});
