import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { openDatabase } from "../database/driver.ts";

/**
 * The payment gateway: a process and a database of its own. It honours idempotency keys (the same key is charged once and
 * answered alike) and writes down every charge. For refunds it takes no key: each request is one more. Started with an IPC
 * channel, it sends its address.
 */

const [path = ":memory:", workMs = "60"] = process.argv.slice(2);

const database = openDatabase(path);
database.exec(`
  create table if not exists charges (
    id text primary key, idempotency_key text not null unique, reference text not null, amount_cents integer not null,
    state text not null, at text not null
  );
  create table if not exists refunds (id text primary key, reference text not null, at text not null);
`);
const known = database.prepare("select id, state from charges where idempotency_key = ?");
const charge = database.prepare("insert into charges values (?, ?, ?, ?, ?, ?) returning id, state");

const refund = database.prepare("insert into refunds values (?, ?, ?) returning id");
const refundsOf = database.prepare("select id, at from refunds where reference = ?");

/** How many of the next answers are lost on their way: the charge is made, the connection breaks. */
let answersToLose = 0;

const server = createServer((incoming, response) => {
  serve(incoming, response).catch((error: unknown) => send(response, 500, { error: String(error) }));
});

async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, asked] = /^\/refunds\/([\w-]+)$/.exec(incoming.url ?? "") ?? [];
  if (incoming.method === "GET" && asked !== undefined) return send(response, 200, refundsOf.all(asked));
  if (incoming.method !== "POST") return send(response, 404, { error: "not found" });
  const body = JSON.parse(await read(incoming)) as Record<string, unknown>;
  if (incoming.url === "/faults") {
    answersToLose = Number(body["loseAnswers"]);
    return send(response, 200, {});
  }
  if (incoming.url === "/refunds") {
    const [issued] = refund.all(randomUUID(), String(body["reference"]), new Date().toISOString());
    // money has moved, and the connection breaks before anybody is told
    if (body["reason"] === "answer-lost") response.destroy();
    return send(response, 201, { id: issued?.["id"] });
  }
  if (incoming.url !== "/charges") return send(response, 404, { error: "not found" });

  const key = String(incoming.headers["idempotency-key"] ?? randomUUID());
  const reference = String(body["reference"]);
  const at = new Date().toISOString();
  const state = body["card"] === "card-declined" ? "declined" : "charged";
  const [found] = known.all(key);
  const [made] =
    found === undefined ? charge.all(randomUUID(), key, reference, Number(body["amountCents"]), state, at) : [found];

  await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
  if (answersToLose > 0) {
    answersToLose -= 1;
    response.destroy();
    return;
  }
  send(response, made?.["state"] === "declined" ? 402 : 201, { id: made?.["id"], state: made?.["state"] });
}

async function read(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function stop(): void {
  server.close(() => {
    database.close();
    process.exit(0);
  });
  server.closeIdleConnections();
}

server.listen(0, "127.0.0.1", () => {
  process.send?.({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on("SIGTERM", stop);
// the platform that started it is gone, in whatever way: nobody needs it any longer
process.on("disconnect", stop);
// the terminal's Ctrl-C reaches the whole group; the platform drains first and then ends this process
process.on("SIGINT", () => undefined);
