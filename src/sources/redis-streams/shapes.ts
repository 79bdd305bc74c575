/** A client of the package `ioredis`, as little of it as is used. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  disconnect(): void;
}

/** A client of the package `redis`, connected. */
export interface NodeRedisClient {
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
}

export type StreamClient = IoredisClient | NodeRedisClient;

export type Command = readonly [name: string, ...args: string[]];

export function send(client: StreamClient, command: Command): Promise<unknown> {
  return "call" in client ? client.call(...command) : client.sendCommand(command);
}

export function disconnect(client: StreamClient): void {
  if ("call" in client) client.disconnect();
  else client.destroy();
}
