import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { openDatabase } from "../database/driver.ts";
import { answer, createJsonServer, stopWithParent } from "../serving.ts";

/**
 * The price API: a process and a database of its own. It bills by the call, and no two calls bring the same price. With
 * `honoured` a key that it knows is answered as before and not billed again; with `ignored` it takes no notice of keys.
 * Started with an IPC channel, it sends its address.
 */

const [path = ":memory:", workMs = "40", keys = "honoured"] = process.argv.slice(2);
const centsACall = 12;

const database = openDatabase(path);
database.exec(`
  create table if not exists calls (
    id text primary key, idempotency_key text unique, customer text not null, change integer not null,
    cents integer not null, at text not null
  );
  create table if not exists repeats (call text not null, at text not null);
`);
const known = database.prepare("select id, cents, at from calls where idempotency_key = ?");
const bill = database.prepare("insert into calls values (?, ?, ?, ?, ?, ?) returning id, cents, at");
const repeat = database.prepare("insert into repeats values (?, ?)");
const sum = database.prepare(`
  select (select count(*) from calls) as billed, (select count(*) from repeats) as repeated,
    (select count(*) from (select 1 from calls group by customer, change having count(*) > 1)) as billed_twice`);

const server = createJsonServer(async (request) => {
  if (request.method === "GET" && request.path === "/bill") {
    const [row] = sum.all();
    const billed = Number(row?.["billed"]);
    const calls = billed + Number(row?.["repeated"]);
    return answer(200, { calls, billed, cents: billed * centsACall, billedTwice: Number(row?.["billed_twice"]) });
  }
  if (request.method !== "POST" || request.path !== "/prices") return answer(404, { error: "not found" });

  const key = keys === "honoured" ? request.idempotencyKey : null;
  const at = new Date().toISOString();
  const [before] = key === null ? [] : known.all(key);
  if (before !== undefined) repeat.all(String(before["id"]), at);
  // money is owed from here on, whether or not anybody hears the answer
  const [made] =
    before === undefined
      ? bill.all(randomUUID(), key, String(request.body["customer"]), Number(request.body["change"]), priceNow(), at)
      : [before];
  await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
  return answer(200, { id: made?.["id"], cents: made?.["cents"], at: made?.["at"] });
});

/** Prices move between two calls, whoever asks. */
function priceNow(): number {
  return 1_500 + Math.floor(Math.random() * 100_000);
}

server.listen(0, "127.0.0.1", () => {
  process.send?.({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
stopWithParent(server, () => database.close());
