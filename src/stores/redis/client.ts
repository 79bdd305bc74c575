/** A client of the package `ioredis`, single server or cluster, as little of it as is used. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  /** Of a cluster. */
  nodes?(role: "master"): readonly IoredisClient[];
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

/** Sends a command to one server. */
export type Send = (args: readonly string[]) => Promise<unknown>;

/** What the ledger needs of a client, whichever it is. */
export interface Channel {
  /** Sends a command to the server that has the slot of `key`. */
  readonly send: (key: string, args: readonly string[]) => Promise<unknown>;
  /** Every server that takes writes. */
  readonly servers: () => Promise<readonly Send[]>;
}

export function channelOf(client: RedisClient): Channel {
  if ("call" in client) {
    const sendTo =
      (one: IoredisClient): Send =>
      ([command = "", ...args]) =>
        one.call(command, ...args);
    const send = sendTo(client);
    return {
      // it finds the key, and by it the server, by itself
      send: (_, args) => send(args),
      servers: async () => (client.nodes === undefined ? [send] : client.nodes("master").map(sendTo)),
    };
  }
  if ("nodeClient" in client) {
    return {
      send: (key, args) => client.sendCommand(key, false, [...args]),
      servers: async () => {
        const clients = await Promise.all(client.masters.map((master) => client.nodeClient(master)));
        return clients.map(
          (one): Send =>
            (args) =>
              one.sendCommand(args),
        );
      },
    };
  }
  const send: Send = (args) => client.sendCommand(args);
  return { send: (_, args) => send(args), servers: async () => [send] };
}
