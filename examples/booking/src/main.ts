import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { webRoute } from "reprise/fastify";
import { pageHandler } from "reprise/page";
import { blobsDirectory, config, dataDirectory } from "./config.ts";
import { tokenOf } from "./database/schema.ts";
import { startFeed } from "./feed/deliver.ts";
import { startFunctions } from "./functions/process.ts";
import { startGateway } from "./gateway/process.ts";
import { incidents, stopIncidents } from "./incidents/index.ts";
import { startLoad } from "./load/driver.ts";
import { startMails } from "./mail/process.ts";
import { createBroker } from "./messages/broker.ts";
import { openPlatform } from "./platform.ts";
import { startPrices } from "./prices/process.ts";
import { clearData, noteRunning, portToUse } from "./running.ts";

/**
 * npm start [-- --fresh]: the gateway, the platform with the page, and visitors. PORT changes the port, 4000; 0 takes a free
 * one. BOOKING_LOAD=off sends no visitors. BOOKING_DATA names the directory that keeps the state. BOOKING_RABBITMQ is the address of
 * a RabbitMQ to send messages through; without it they stay in the ledger. BOOKING_TOKEN is what the page asks for before it decides; without it, one is made for this start.
 */

const chosen = await prepare().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
const running = await noteRunning(dataDirectory);

async function prepare(): Promise<number> {
  const free = await portToUse(process.env["PORT"]);
  if (process.argv.includes("--fresh")) await clearData(dataDirectory);
  return free;
}

const gateway = await startGateway({ path: join(dataDirectory, "gateway.db"), workMs: config.gatewayMs });
const prices = await startPrices({
  path: join(dataDirectory, "prices.db"),
  workMs: config.pricesMs,
  keys: "honoured",
});
const mails = await startMails({ path: join(dataDirectory, "mails.db"), workMs: config.mailMs });
const platform = await openPlatform({
  path: join(dataDirectory, "booking.db"),
  gateway: gateway.address,
  prices: prices.address,
  mails: mails.address,
  broker: config.rabbitmq === null ? null : createBroker(config.rabbitmq),
  blobs: blobsDirectory,
  connections: config.connections,
  connectionWaitMs: config.connectionWaitMs,
  availabilityMs: config.availabilityMs,
  requestMs: config.requestMs,
});

const functions = await startFunctions({ path: join(dataDirectory, "booking.db"), gateway: gateway.address });

const token = process.env["BOOKING_TOKEN"] ?? randomBytes(16).toString("hex");
const page = webRoute(pageHandler(platform.booking.reprise, { incidents, token }));
platform.app.all("/reprise", page);
platform.app.all("/reprise/*", page);
platform.app.get("/", async (_, reply) => reply.redirect("/reprise"));

await platform.app.listen({ host: "127.0.0.1", port: chosen });
const { port } = platform.app.server.address() as AddressInfo;
const address = `http://localhost:${port}`;
const load =
  process.env["BOOKING_LOAD"] === "off"
    ? undefined
    : startLoad({
        address: `http://127.0.0.1:${port}`,
        readsPerSecond: config.readsPerSecond,
        searchesPerSecond: config.searchesPerSecond,
        crawledPerSecond: config.crawledPerSecond,
        bookingsPerSecond: config.bookingsPerSecond,
        seed: Date.now(),
      });

const feed = startFeed(platform.database, config.deliversEveryMs);

const key = `try-${Date.now().toString(36)}`;
const callerWith = (own: string) =>
  `-H 'authorization: Bearer ${tokenOf("alice")}' -H 'content-type: application/json' -H 'idempotency-key: ${own}'`;
const book = `curl -si ${address}/bookings ${callerWith(key)} -d '{"reference":"${key}","workshop":"w-120"}'`;
const bookByFunction = `curl -si ${functions.address}/bookings ${callerWith(key)} -d '{"reference":"${key}","workshop":"w-120"}'`;
const bookByMessage = `curl -si ${address}/booking-requests ${callerWith(`${key}-request`)} -d '{"reference":"${key}","workshop":"w-120"}'`;
const cancel = `curl -si -X POST ${address}/bookings/${key}/cancellation ${callerWith(`${key}-cancel`)} -d '{}'`;
const refund = `curl -si ${address}/bookings/${key}/refund ${callerWith(`${key}-refund`)} -d '{"reason":"answer-lost"}'`;
console.log(`
The booking platform is running, with its payment gateway on ${gateway.address}, a price API on ${prices.address} and a mail
service on ${mails.address}. Messages go through ${config.rabbitmq === null ? "a queue in the ledger" : "RabbitMQ"}.

The page:            ${address}/reprise
Book a seat twice:   for n in 1 2; do ${book}; echo; done
                     (the second answer has idempotency-replayed: true)
The same, by function: ${bookByFunction}
                     (and by message: ${bookByMessage}
                     one reference is one booking and one charge, however it comes)
Lose an answer:      ${refund}
                     (nobody knows whether that refund happened: it is unknown, and waits for a person)
Cancel it:           ${cancel}
                     (a message commits with that, and whoever receives it sends one mail:
                     curl -s ${mails.address}/mails/${key})
See what happened:   curl -s ${gateway.address}/refunds/${key}
The jobs:            curl -s ${address}/jobs
                     (what the load and the worker did, and the price API's bill: nothing is billed twice)
Decide it:           on the page, with the token ${process.env["BOOKING_TOKEN"] === undefined ? token : "of BOOKING_TOKEN"}
`);

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  stopIncidents();
  await load?.stop();
  await feed.stop();
  await functions.stop();
  await platform.close();
  await mails.stop();
  await prices.stop();
  await gateway.stop();
  await running.end();
  process.exit(0);
}
process.on("SIGINT", () => void stop());
process.on("SIGTERM", () => void stop());
