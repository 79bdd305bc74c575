import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import type { DynamoDB } from "@aws-sdk/client-dynamodb";
// @ts-expect-error: it has no types
import dynalite from "dynalite";
import { dynaliteClient } from "./dynalite-client.ts";
import type { ItemServer } from "./item-ledgers.ts";

/**
 * dynalite, an emulator of DynamoDB, in this process. It has no transactions, no expiry, and tells nothing of the item that a
 * condition met.
 */
export interface Dynalite extends ItemServer {
  readonly port: number;
  /** A client of its own, as another process would have. */
  readonly client: (port?: number) => DynamoDB;
}

const create = dynalite as (options: Readonly<Record<"createTableMs" | "deleteTableMs", number>>) => Server;

/** @param time `stands`: still, until it is told to go on */
export async function startDynalite(time: "stands" | "goes on" = "stands"): Promise<Dynalite> {
  const server = create({ createTableMs: 0, deleteTableMs: 0 });
  let now = Math.floor(Date.now() / 1_000) * 1_000;
  if (time === "stands") {
    server.prependListener("request", (_request, response: ServerResponse) => {
      response.setHeader("Date", new Date(now).toUTCString());
    });
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const clients: DynamoDB[] = [];
  const client = (port = address.port) => {
    const one = dynaliteClient(port);
    clients.push(one);
    return one;
  };
  return {
    port: address.port,
    client,
    drop: async (table) => {
      await client().deleteTable({ TableName: table });
    },
    passTime: async (ms) => {
      now += ms;
    },
    stop: async () => {
      for (const one of clients) one.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
