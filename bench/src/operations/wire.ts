import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { median } from "../rounds.ts";

/** What one piece of work costs on the wire, read from what the client really sends. */
export interface Traffic {
  readonly statements: number;
  /** How often the client sends something and then has to wait for an answer. */
  readonly trips: number;
}

export type Protocol = "postgres" | "mysql" | "redis";

/** Stands between a client and its server and counts. Meant for one connection on which one thing happens at a time. */
export interface CountingProxy {
  readonly port: number;
  /** The traffic of one piece of work; the first times are not counted, for they prepare statements and load scripts. */
  readonly trafficOf: (work: () => Promise<unknown>) => Promise<Traffic>;
  readonly close: () => Promise<void>;
}

export async function countingProxy(
  protocol: Protocol,
  target: { readonly host: string; readonly port: number },
): Promise<CountingProxy> {
  let statements = 0;
  let trips = 0;
  const listener = createServer((client) => {
    const server = connect(target.port, target.host);
    const count = counters[protocol]();
    let awaitsAnswer = false;
    client.on("data", (data: Buffer) => {
      statements += count(data);
      if (!awaitsAnswer) trips += 1;
      awaitsAnswer = true;
      server.write(data);
    });
    server.on("data", (data: Buffer) => {
      awaitsAnswer = false;
      client.write(data);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => other.destroy());
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    trafficOf: async (work) => {
      for (let warm = 0; warm < 5; warm += 1) await work();
      const samples: Traffic[] = [];
      // what the instance does on its own now and then falls into some of them, so the middle one tells
      for (let sample = 0; sample < 11; sample += 1) {
        const before = { statements, trips };
        await work();
        samples.push({ statements: statements - before.statements, trips: trips - before.trips });
      }
      return {
        statements: median(samples.map((sample) => sample.statements)),
        trips: median(samples.map((sample) => sample.trips)),
      };
    },
    close: async () => {
      listener.close();
      await once(listener, "close");
    },
  };
}

/** How many statements end in a piece of what one client sends. */
type Counter = (data: Buffer) => number;

const counters: Readonly<Record<Protocol, () => Counter>> = {
  postgres: () => {
    const isStatement = (type: number) => type === code("E") || type === code("Q");
    let isStarted = false;
    return framed((buffered) => {
      // the first message has no type
      const at = isStarted ? 1 : 0;
      if (buffered.length < at + 4) return undefined;
      const length = at + buffered.readInt32BE(at);
      const counts = isStarted && isStatement(buffered.readUInt8(0));
      if (buffered.length >= length) isStarted = true;
      return { length, counts };
    });
  },
  mysql: () => {
    const query = 0x03;
    const execute = 0x17;
    return framed((buffered) => {
      if (buffered.length < 5) return undefined;
      const isCommand = buffered.readUInt8(3) === 0;
      const command = buffered.readUInt8(4);
      return { length: 4 + buffered.readUIntLE(0, 3), counts: isCommand && (command === query || command === execute) };
    });
  },
  redis: () =>
    framed((buffered) => {
      const length = lengthOfCommand(buffered);
      return length === undefined ? undefined : { length, counts: true };
    }),
};

/** Cuts what arrives into messages. `next` says how long the one at the front is; `undefined`: not enough of it is there. */
function framed(
  next: (buffered: Buffer) => { readonly length: number; readonly counts: boolean } | undefined,
): Counter {
  let buffered = Buffer.alloc(0);
  return (data) => {
    buffered = Buffer.concat([buffered, data]);
    let counted = 0;
    for (;;) {
      const message = next(buffered);
      if (message === undefined || buffered.length < message.length) return counted;
      if (message.counts) counted += 1;
      buffered = buffered.subarray(message.length);
    }
  };
}

/** A command is an array of strings: `*2`, then each as `$5` and its bytes. */
function lengthOfCommand(buffered: Buffer): number | undefined {
  let at = 0;
  const line = (): number | undefined => {
    const end = buffered.indexOf("\r\n", at);
    if (end === -1) return undefined;
    const number = Number(buffered.toString("latin1", at + 1, end));
    at = end + 2;
    return number;
  };
  const parts = line();
  if (parts === undefined) return undefined;
  for (let part = 0; part < parts; part += 1) {
    const bytes = line();
    if (bytes === undefined) return undefined;
    at += bytes + 2;
  }
  return at;
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}
