import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { withDeadline } from "../../base/promise.ts";
import { UnderWay } from "../../base/under-way.ts";
import type { LedgerSchema, SchemaDifference } from "../../contract/ledger-schema.ts";
import { compareVersion, refusePartitions } from "../schema.ts";
import { type Channel, channelOf, type RedisClient, type Send } from "./client.ts";
import { translate } from "./failure.ts";
import { type Keys, keysOf } from "./keys.ts";
import { text } from "./replies.ts";
import type { Script } from "./script.ts";
import { checkServer, findFaults, type Vouched } from "./server.ts";

export interface RedisStoreOptions {
  readonly ledger: string;
  readonly client: RedisClient;
  readonly prefix: string;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly server: Vouched;
  /** Added to the server's clock, for tests alone. */
  readonly offsetMs: () => number;
}

/** One ledger's part of a Redis: what it stores, under a prefix, and each command with its deadline. */
export interface RedisStore {
  readonly ledger: string;
  readonly keys: Keys;
  readonly clock: Clock;
  /** The keeps of work that this process knows to be written down: see `introduceKeep`. */
  readonly keeps: Set<number>;
  /** How long a command may take: what waits for another one's second command waits so long too. */
  readonly deadlineMs: number;
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** Runs a script on the server that has the slot of its keys. The first argument that it gets is the clock's offset. */
  readonly run: (doing: string, script: Script, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;
  /** There are no tables: what is compared are the settings without which a server is a cache. */
  readonly schema: LedgerSchema;
}
export type Argument = string | number;

const schemaVersion = "1";

export function redisStore(options: RedisStoreOptions): RedisStore {
  const { ledger, clock, deadlineMs } = options;
  const keys = keysOf(options.prefix);
  const channel: Channel = channelOf(options.client);
  const underWay = new UnderWay<Promise<unknown>>();
  let opening: Promise<void> | undefined;
  let closed = false;

  const away = (doing: string, cause?: unknown) => new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, cause);

  /** A command or two, bounded. One that comes too late may still happen: the contract says so. */
  const within = <T>(doing: string, working: Promise<T>): Promise<T> => {
    const leave = underWay.add(working);
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(translate(error, { ledger, doing, deadlineMs }) as Error);
      const cancel = clock.timer(deadlineMs, () => fail(away(`${doing}, ${deadlineMs} ms`)), "holding");
      // one pair of reactions for all that is to be done: this is once around each command
      working.then(
        (value) => {
          leave();
          cancel();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          cancel();
          fail(error);
        },
      );
    });
  };

  const evaluate = async ({ body, digest }: Script, named: readonly string[], args: readonly Argument[]) => {
    const [key = ""] = named;
    const command = ["evalsha", digest, String(named.length), ...named, String(options.offsetMs())] as const;
    const rest = args.map(String);
    try {
      return await channel.send(key, [...command, ...rest]);
    } catch (error) {
      // it has been restarted or has taken over, and knows no scripts
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return channel.send(key, ["eval", body, ...command.slice(2), ...rest]);
    }
  };

  const askVersion = async () => channel.send(keys.schema, ["get", keys.schema]);
  const serversOf = async (doing: string): Promise<readonly Send[]> => {
    // a client of a cluster knows its servers once it has asked one
    await within(doing, askVersion());
    const servers = await within(doing, channel.servers());
    if (servers.length === 0) throw away(`${doing}, no server known`);
    return servers.map(
      (server): Send =>
        (args) =>
          within(doing, (async () => server(args))()),
    );
  };

  const connect = async (): Promise<void> => {
    for (const send of await serversOf("open")) await checkServer(ledger, send, options.server);
    const introduced = async () => {
      await channel.send(keys.schema, ["set", keys.schema, schemaVersion, "nx"]);
      return text(await askVersion());
    };
    const found = await within("open", introduced());
    if (found !== schemaVersion) {
      throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found, expected: schemaVersion });
    }
  };

  /** The first use opens; what fails to open is tried again by the next. Closing is for good. */
  const opened = (doing: string): Promise<void> => {
    if (closed) return Promise.reject(away(`${doing}, closed`));
    opening ??= connect().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  const differences = async (): Promise<readonly SchemaDifference[]> => {
    const servers = await serversOf("compare");
    const faults = (await Promise.all(servers.map((send) => findFaults(send, options.server)))).flat();
    const version = await within("compare", askVersion());
    return [
      ...faults.map(({ why, mend, command }) => {
        return { what: `A ledger cannot stay here: ${why}. ${mend}`, mend: command === null ? [] : [command] };
      }),
      // its first opening writes it
      ...(version === null ? [] : compareVersion(text(version), schemaVersion, "")),
    ];
  };

  return {
    ledger,
    keys,
    clock,
    keeps: new Set(),
    deadlineMs,
    open: () => opened("open"),
    close: async () => {
      closed = true;
      // the client is its owner's: it is left connected
      await Promise.allSettled(
        [...underWay].map((working) => withDeadline(clock, deadlineMs, working, () => away("close"))),
      );
    },
    run: async (doing, script, named, args) => {
      await opened(doing);
      return within(doing, evaluate(script, named, args));
    },
    schema: {
      statements: ({ partitions } = {}) => {
        refusePartitions(ledger, partitions);
        return [];
      },
      migrate: async ({ partitions } = {}) => {
        refusePartitions(ledger, partitions);
        await opened("migrate");
        return [];
      },
      differences,
    },
  };
}
