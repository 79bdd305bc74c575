import type { MaybePromise } from "../base/promise.ts";

/** What is done over a connection of its own. */
export interface Over<Connection> {
  /** What is made closes the connection; where nothing could be made, it is closed here. */
  readonly make: <T>(work: (connection: Connection) => MaybePromise<T>) => Promise<T>;
  /** Closed when the work is done. */
  readonly once: <T>(work: (connection: Connection) => MaybePromise<T>) => Promise<T>;
}

/** @param close what it fails with is told to nobody: what the work came to counts */
export function over<Connection>(
  connect: () => MaybePromise<Connection>,
  close: (connection: Connection) => unknown,
): Over<Connection> {
  const end = async (connection: Connection) => {
    try {
      await close(connection);
    } catch {}
  };
  return {
    make: async (work) => {
      const connection = await connect();
      try {
        return await work(connection);
      } catch (error) {
        await end(connection);
        throw error;
      }
    },
    once: async (work) => {
      const connection = await connect();
      try {
        return await work(connection);
      } finally {
        await end(connection);
      }
    },
  };
}
