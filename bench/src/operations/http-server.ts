import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import fastify from "fastify";
import pg from "pg";
import { expressHandler } from "reprise/express";
import { fastifyHandler } from "reprise/fastify";
import type { Answer } from "../child.ts";
import { processorTime } from "../processor-time.ts";
import type { Booking, Confirmation } from "./booking.ts";
import { poolSize, postgresUrl } from "./postgres-place.ts";
import { bare, bookingOperation, handWritten, type Way } from "./postgres-ways.ts";

/** A server that books on PostgreSQL, in a process of its own. */

export type Framework = "fastify" | "express";
export type Subject = "bare" | "handWritten" | "reprise";

/** What a server answers to every question. */
export interface ServerState {
  readonly port: number;
  /** Nanoseconds of a processor that it has spent. */
  readonly spent: number;
}

export async function serveHttp(framework: string, subject: string, schema: string): Promise<Answer> {
  const settings = { pool: new pg.Pool({ connectionString: postgresUrl, max: poolSize }), schema, prepared: true };
  const { reprise, book } = bookingOperation(settings);
  const plain = subject === "handWritten" ? handWritten(settings) : bare(settings);
  const isOurs = subject === "reprise";
  if (isOurs) await reprise.start();
  return framework === "fastify" ? serveFastify(isOurs ? book : plain) : serveExpress(isOurs ? book : plain);
}

type Handled = Way | ReturnType<typeof bookingOperation>["book"];

const carrier = {
  principal: "everyone",
  input: (request: { readonly body?: unknown }) => request.body as Booking,
  reply: (body: Confirmation) => ({ status: 201, body }),
} as const;

async function serveFastify(handled: Handled): Promise<Answer> {
  const app = fastify();
  if (typeof handled === "function") {
    app.post("/bookings", async (request, reply) => {
      const confirmation = await handled(request.body as Booking);
      reply.code(201);
      return confirmation;
    });
  } else app.post("/bookings", fastifyHandler(handled, carrier));
  await app.listen({ port: 0, host: "127.0.0.1" });
  return stateOf((app.server.address() as AddressInfo).port);
}

function serveExpress(handled: Handled): Promise<Answer> {
  const app = express();
  if (typeof handled === "function") {
    app.post("/bookings", express.json(), async (request, response) => {
      response.status(201).json(await handled(request.body as Booking));
    });
  } else app.post("/bookings", express.json(), expressHandler(handled, carrier));
  return listen(app);
}

export async function listen(app: express.Express): Promise<Answer> {
  const server = app.listen(0, "127.0.0.1");
  // the others' slices pass meanwhile
  server.keepAliveTimeout = 120_000;
  await once(server, "listening");
  return stateOf((server.address() as AddressInfo).port);
}

function stateOf(port: number): Answer {
  return async (): Promise<ServerState> => ({ port, spent: processorTime() });
}
