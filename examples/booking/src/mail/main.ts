import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { openDatabase } from "../database/driver.ts";
import { answer, createJsonServer, stopWithParent } from "../serving.ts";

/**
 * The mail service: a process and a database of its own. It honours idempotency keys, and sends one more mail for every request
 * without one. Nothing leaves this machine: a mail is a row. Started with an IPC channel, it sends its address.
 */

const [path = ":memory:", workMs = "30"] = process.argv.slice(2);

const database = openDatabase(path);
database.exec(`
  create table if not exists mails (
    id text primary key, idempotency_key text unique, recipient text not null, about text not null, reference text not null,
    at text not null
  );
`);
const known = database.prepare("select id from mails where idempotency_key = ?");
const send = database.prepare("insert into mails values (?, ?, ?, ?, ?, ?) returning id");
const mailsOf = database.prepare("select recipient, about, at from mails where reference = ?");

const server = createJsonServer(async ({ method, path: url, idempotencyKey, body }) => {
  const [, asked] = /^\/mails\/([\w-]+)$/.exec(url) ?? [];
  if (method === "GET" && asked !== undefined) return answer(200, mailsOf.all(asked));
  if (method !== "POST" || url !== "/mails") return answer(404, { error: "not found" });

  const [before] = idempotencyKey === null ? [] : known.all(idempotencyKey);
  const text = (name: string) => String(body[name]);
  const at = new Date().toISOString();
  // it is on its way from here on, whether or not anybody hears the answer
  const [sent] =
    before === undefined
      ? send.all(randomUUID(), idempotencyKey, text("to"), text("about"), text("reference"), at)
      : [before];
  await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
  return answer(201, { id: sent?.["id"] });
});

server.listen(0, "127.0.0.1", () => {
  process.send?.({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
stopWithParent(server, () => database.close());
