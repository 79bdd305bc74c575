/** A client of the package `ioredis`, single server or cluster, as little of it as is used. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  /** What it writes to; a cluster's client has one for each server, and there is none while it does not connect. */
  readonly stream?: Corkable | undefined;
  /** Of a cluster. */
  nodes?(role: "master"): readonly IoredisClient[];
}

/** Of a stream: what is written from `cork` to `uncork` goes out as one. */
interface Corkable {
  cork(): void;
  uncork(): void;
}

/** A client of the package `redis`, connected by whoever made it. */
export interface NodeRedisClient {
  sendCommand(args: readonly string[]): Promise<unknown>;
}
/** A cluster of the package `redis`. */
export interface NodeRedisCluster {
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  readonly masters: readonly object[];
  nodeClient(node: unknown): Promise<NodeRedisClient>;
}

export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster;

export type Command = readonly [name: string, ...args: string[]];

/** Sends a command to one server. */
export type Send = (command: Command) => Promise<unknown>;

/** What the ledger needs of a client, whichever it is. */
export interface Channel {
  /** Sends a command to the server that has the slot of `key`. */
  readonly send: (key: string, command: Command) => Promise<unknown>;
  /** Every server that takes writes. */
  readonly servers: () => Promise<readonly Send[]>;
}

export function channelOf(client: RedisClient): Channel {
  if ("call" in client) {
    const gather = gatherFor(client);
    const sendTo =
      (one: IoredisClient): Send =>
      (command) => {
        gather();
        return one.call(...command);
      };
    const send = sendTo(client);
    return {
      // it finds the key, and by it the server, by itself
      send: (_, command) => send(command),
      servers: async () => (client.nodes === undefined ? [send] : client.nodes("master").map(sendTo)),
    };
  }
  if ("nodeClient" in client) {
    return {
      send: (key, command) => client.sendCommand(key, false, [...command]),
      servers: async () => {
        const clients = await Promise.all(client.masters.map((master) => client.nodeClient(master)));
        return clients.map(
          (one): Send =>
            (command) =>
              one.sendCommand(command),
        );
      },
    };
  }
  const send: Send = (command) => client.sendCommand(command);
  return { send: (_, command) => send(command), servers: async () => [send] };
}

/** With more at once the server would wait for the last of them while this side is busy, and then this side for it. */
const mostTogether = 8;

/**
 * ioredis writes each command by itself, which is a system call here and another one on the server, and costs more than the
 * rest of it. What is sent in one turn goes out together, as the other package does of itself. Called before each command.
 */
function gatherFor(client: IoredisClient): () => void {
  let gathering: readonly (Corkable | undefined)[] = [];
  let count = 0;
  const sendAll = () => {
    for (const stream of gathering) stream?.uncork();
    gathering = [];
    count = 0;
  };
  return () => {
    if (count === mostTogether) sendAll();
    count += 1;
    if (count > 1) return;
    gathering = (client.nodes?.("master") ?? [client]).map(({ stream }) => stream);
    for (const stream of gathering) stream?.cork();
    process.nextTick(sendAll);
  };
}
