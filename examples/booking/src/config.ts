import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The platform's numbers, each with its reason. */
export const config = {
  /** As a small database server allows. */
  connections: 8,
  /** Whoever waits longer for a connection gets an error, instead of making the queue longer. */
  connectionWaitMs: 2_000,
  /** A visitor's request is answered by then, with an error if need be. */
  requestMs: 2_500,
  /** What the query takes on a server: joins and sums, the disk and the network. */
  availabilityMs: 45,
  /** A search that no index answers. */
  searchMs: 500,
  /** Small, as the data is: so small that what a crawler reads would push out what visitors read, if it were let. */
  memory: "256kb",
  /** Bookings that a statement reads at once: it is to hold no connection for long. */
  statementPage: 100,
  /** A card network's answer. */
  gatewayMs: 120,
  /** The price API's answer. */
  pricesMs: 200,
  /** Where messages go between the services; `null`: they stay in the ledger. */
  rabbitmq: process.env["BOOKING_RABBITMQ"] ?? null,
  /** A mail that is taken for delivery. */
  mailMs: 50,
  /** Of the feed that stages what was booked. */
  deliversEveryMs: 5_000,
  /** Of the load that makes the page live: 4 reads a second are 240 requests a minute. */
  readsPerSecond: 4,
  /** Words that are typed, few of them by many. */
  searchesPerSecond: 5,
  /** A crawler that asks for everything once. */
  crawledPerSecond: 3,
  bookingsPerSecond: 0.2,
} as const;

/** State, kept between starts: where BOOKING_DATA says, else beside `dist`. */
export const dataDirectory = process.env["BOOKING_DATA"] ?? fileURLToPath(new URL("../.data/", import.meta.url));
export const blobsDirectory = join(dataDirectory, "blobs");
export const resultsDirectory = join(dataDirectory, "incidents");
