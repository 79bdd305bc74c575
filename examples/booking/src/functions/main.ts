import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileBlobs } from "reprise/files";
import { sqliteLedger } from "reprise/sqlite";
import { blobsDirectory, config } from "../config.ts";
import { openDatabasePool } from "../database/pool.ts";
import { readSessions } from "../database/queries.ts";
import { createGateway } from "../gateway/client.ts";
import { createMails } from "../mail/client.ts";
import { createPrices } from "../prices/client.ts";
import { declareBooking } from "../reprise.ts";
import { stopWithParent } from "../serving.ts";
import { createFunctions, toEvent } from "./index.ts";

/**
 * A host of functions, as small as it can be: a process of its own that shares the platform's database and its ledger, and
 * nothing else. It starts no worker and no schedule. Started with an IPC channel, it sends its address.
 */

const [path = "", gateway = ""] = process.argv.slice(2);

const database = await openDatabasePool({ path, connections: 2, waitMs: config.connectionWaitMs });
const nowhere = "http://localhost:0";
const booking = declareBooking({
  database,
  gateway: createGateway(gateway),
  prices: createPrices(nowhere),
  mails: createMails(nowhere),
  broker: null,
  blobs: fileBlobs({ directory: blobsDirectory }),
  ledger: sqliteLedger({ path }),
  availabilityMs: config.availabilityMs,
});
const users = await readSessions(database);
const functions = createFunctions({
  booking,
  userOf: (headers) => users.get(/^Bearer (\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? ""),
});

const server = createServer((incoming, response) => {
  const handle = async () => {
    const handler = { "/bookings": functions.bookings, "/badges": functions.badges }[incoming.url ?? ""];
    if (handler === undefined || incoming.method !== "POST") return response.writeHead(404).end();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const request = new Request(`http://localhost${incoming.url}`, {
      ...{ method: "POST", headers, body: Buffer.concat(chunks) },
    });
    const answer = await handler(toEvent(request), { error: (...told) => console.error(...told) });
    return response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  handle().catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(0, "127.0.0.1", () => {
  process.send?.({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
stopWithParent(server, () => void booking.reprise.close().then(() => database.close()));
