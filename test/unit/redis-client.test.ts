import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { channelOf, type IoredisClient } from "../../src/stores/redis/client.ts";

/** A client of ioredis that says what was written together. */
function recorded() {
  const writes: string[][] = [];
  let corks = 0;
  const stream = {
    cork: () => {
      corks += 1;
      writes.push([]);
    },
    uncork: () => {
      corks -= 1;
    },
  };
  const connection: IoredisClient = {
    stream,
    call: async (...command) => {
      expect(corks, "each cork is drawn before the next").toBe(1);
      writes.at(-1)?.push(command.join(" "));
    },
  };
  return { connection, writes, corks: () => corks };
}

const commands = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

test("what is sent in one turn is written together, in its order, and no more than some at once", async () => {
  const { connection, writes, corks } = recorded();
  const channel = channelOf(connection);
  await Promise.all(commands(20).map((command) => channel.send("key", ["get", command])));
  await turn();
  expect(corks()).toBe(0);
  expect(writes.flat()).toEqual(commands(20).map((command) => `get ${command}`));
  expect(writes.map(({ length }) => length)).toEqual([8, 8, 4]);
});

test("what is sent in another turn waits for nothing", async () => {
  const { connection, writes, corks } = recorded();
  const channel = channelOf(connection);
  for (const command of commands(3)) {
    await channel.send("key", ["get", command]);
    await turn();
    expect(corks()).toBe(0);
  }
  expect(writes).toHaveLength(3);
});

test("of a cluster every connection writes so", async () => {
  const nodes = [recorded(), recorded()] as const;
  const cluster: IoredisClient = {
    call: async () => undefined,
    nodes: () => nodes.map(({ connection }) => connection),
  };
  await channelOf(cluster).send("key", ["get", "0"]);
  expect(nodes.map(({ writes }) => writes.length)).toEqual([1, 1]);
  await turn();
  expect(nodes.map(({ corks }) => corks())).toEqual([0, 0]);
});

test("a client that does not connect yet, and has no stream, is sent what it gets", async () => {
  const sent: string[] = [];
  const client: IoredisClient = { stream: undefined, call: async (...command) => sent.push(command.join(" ")) };
  await channelOf(client).send("key", ["get", "0"]);
  expect(sent).toEqual(["get 0"]);
});
