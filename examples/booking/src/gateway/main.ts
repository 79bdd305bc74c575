import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { openDatabase } from "../database/driver.ts";
import { answer, createJsonServer, type JsonAnswer, type JsonRequest, stopWithParent } from "../serving.ts";

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

const server = createJsonServer(serve);

async function serve({ method, path: url, idempotencyKey, body }: JsonRequest): Promise<JsonAnswer> {
  const [, asked] = /^\/refunds\/([\w-]+)$/.exec(url) ?? [];
  if (method === "GET" && asked !== undefined) return answer(200, refundsOf.all(asked));
  if (method !== "POST") return answer(404, { error: "not found" });
  if (url === "/faults") {
    answersToLose = Number(body["loseAnswers"]);
    return answer(200, {});
  }
  if (url === "/refunds") {
    const [issued] = refund.all(randomUUID(), String(body["reference"]), new Date().toISOString());
    return body["reason"] === "answer-lost" ? "lost" : answer(201, { id: issued?.["id"] });
  }
  if (url !== "/charges") return answer(404, { error: "not found" });

  const key = idempotencyKey ?? randomUUID();
  const reference = String(body["reference"]);
  const at = new Date().toISOString();
  const state = body["card"] === "card-declined" ? "declined" : "charged";
  const [found] = known.all(key);
  const [made] =
    found === undefined ? charge.all(randomUUID(), key, reference, Number(body["amountCents"]), state, at) : [found];

  await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
  if (answersToLose > 0) {
    answersToLose -= 1;
    return "lost";
  }
  return answer(made?.["state"] === "declined" ? 402 : 201, { id: made?.["id"], state: made?.["state"] });
}

server.listen(0, "127.0.0.1", () => {
  process.send?.({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
stopWithParent(server, () => database.close());
