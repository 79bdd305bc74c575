import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { CachePersistenceLayer } from "@aws-lambda-powertools/idempotency/cache";
import type { CacheClient } from "@aws-lambda-powertools/idempotency/cache/types";
import { Idempotency } from "@node-idempotency/core";
import { MemoryStorageAdapter } from "@node-idempotency/storage-adapter-memory";
import { RedisStorageAdapter } from "@node-idempotency/storage-adapter-redis";
import express, { type RequestHandler } from "express";
import { getSharedIdempotencyService, type IIdempotencyDataAdapter, idempotency } from "express-idempotency";
import redisAdapterModule from "express-idempotency-redis-adapter";
import { createClient } from "redis";
import { createReprise, unchecked } from "reprise";
import { expressHandler } from "reprise/express";
import { memoryLedger } from "reprise/memory";
import { redisLedger } from "reprise/redis";
import type { Answer } from "../child.ts";
import { type Booking, type Confirmation, confirm } from "./booking.ts";
import { listen } from "./http-server.ts";

/**
 * The same route of Express under each library, in the configuration that its documentation recommends, with records in
 * the process's memory or on one Redis. The handler's work is nothing: what is measured is what surrounds it.
 *
 * express-idempotency: its own memory, and its Redis adapter; it answers before its record is written.
 * @node-idempotency/core: its own storages; its plugin for Express is not published, so it is wired as that does it.
 * Powertools: `makeIdempotent` with the key by JMESPath and a context, as in a Lambda. It has no store in memory, so its
 * cache layer is given a client that keeps a map.
 */
const rivals: Readonly<Record<string, (redisPort: number | null) => Promise<readonly RequestHandler[]>>> = {
  bare: async () => [(request, response) => void response.status(201).json(confirm(request.body as Booking))],

  expressIdempotency: async (redisPort) => {
    let dataAdapter: (IIdempotencyDataAdapter & { connect(): Promise<void> }) | undefined;
    if (redisPort !== null) {
      // a CommonJS module, whose default export Node hands over inside of it
      const { default: RedisAdapter } = redisAdapterModule as unknown as {
        readonly default: typeof redisAdapterModule;
      };
      dataAdapter = new RedisAdapter({ connectionConfig: { url: urlOf(redisPort) } }) as unknown as NonNullable<
        typeof dataAdapter
      >;
      await dataAdapter.connect();
    }
    return [
      idempotency(dataAdapter === undefined ? {} : { dataAdapter }) as unknown as RequestHandler,
      (request, response) => {
        if (getSharedIdempotencyService().isHit(request as never)) return;
        response.status(201).json(confirm(request.body as Booking));
      },
    ];
  },

  nodeIdempotency: async (redisPort) => {
    let storage: ConstructorParameters<typeof Idempotency>[0] = new MemoryStorageAdapter();
    if (redisPort !== null) {
      const redis = new RedisStorageAdapter({ url: urlOf(redisPort) });
      await redis.connect();
      storage = redis;
    }
    const guard = new Idempotency(storage);
    return [
      async (request, response, next) => {
        const { headers, path, method, body } = request;
        const asked = { headers, path, method, body };
        const kept = await guard.onRequest<string, unknown>(asked);
        if (kept !== undefined) return void response.status(201).type("json").send(kept.body);
        const send = response.send.bind(response);
        response.send = (body: string) => {
          response.send = send;
          const answer = { body, additional: { statusCode: response.statusCode } };
          guard.onResponse(asked, answer).then(() => send(body), next);
          return response;
        };
        next();
      },
      (request, response) => void response.status(201).json(confirm(request.body as Booking)),
    ];
  },

  powertools: async (redisPort) => {
    const client: CacheClient =
      redisPort === null
        ? cacheInMemory()
        : ((await createClient({ url: urlOf(redisPort) }).connect()) as unknown as CacheClient);
    const book = makeIdempotent(
      async ({ body }: { readonly key: string; readonly body: Booking }, _context: object) => confirm(body),
      {
        persistenceStore: new CachePersistenceLayer({ client }),
        config: new IdempotencyConfig({ eventKeyJmesPath: "key", throwOnNoIdempotencyKey: true }),
      },
    );
    const context = { getRemainingTimeInMillis: () => 30_000 };
    return [
      async (request, response) => {
        const event = { key: request.get("idempotency-key") ?? "", body: request.body as Booking };
        response.status(201).json(await book(event, context));
      },
    ];
  },

  reprise: async (redisPort) => {
    const client = redisPort === null ? undefined : await createClient({ url: urlOf(redisPort) }).connect();
    const ledger = client === undefined ? memoryLedger() : redisLedger({ client });
    const reprise = createReprise({ service: "bench", undecided: "listed", ledger });
    const book = reprise.operation({
      name: "seat.book",
      input: unchecked<Booking>(),
      principal: "everyone",
      identity: "callers-key",
      retention: "1d",
      effects: "external",
      run: async ({ input }) => confirm(input),
    });
    await reprise.start();
    return [
      expressHandler(book, {
        principal: "everyone",
        input: (request: { readonly body?: unknown; readonly rawHeaders: readonly string[] }) =>
          request.body as Booking,
        reply: (body: Confirmation) => ({ status: 201, body }),
      }) as unknown as RequestHandler,
    ];
  },
};

export const rivalNames: readonly string[] = ["expressIdempotency", "nodeIdempotency", "powertools"];

export async function serveRival(name: string, store: string): Promise<Answer> {
  const handlers = await rivals[name]?.(store === "memory" ? null : Number(store));
  if (handlers === undefined) throw new Error(`no such library: ${name}`);
  const app = express();
  app.post("/bookings", express.json(), ...handlers);
  return listen(app);
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}

function cacheInMemory(): CacheClient {
  const kept = new Map<string, string>();
  return {
    get: async (name) => kept.get(name) ?? null,
    set: async (name, value, options) => {
      const { NX } = (options ?? {}) as { readonly NX?: boolean };
      if (NX === true && kept.has(String(name))) return null;
      kept.set(String(name), String(value));
      return "OK";
    },
    del: async (names) => names.filter((name) => kept.delete(name)).length,
  };
}
