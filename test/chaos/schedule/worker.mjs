// One of several processes that enrich customers on a schedule, and kills itself at a chosen point.
import { createInterface } from "node:readline";
import { clientOf, declareEnrich, openLedger, pending } from "./enrich.mjs";

const { path, url, customers, killAt, killAtCall, naive, keyless } = JSON.parse(process.argv[2]);
let passed = 0;
const at = (point) => {
  if (point !== killAt) return;
  passed += 1;
  if (passed >= killAtCall) process.kill(process.pid, "SIGKILL");
};
const client = clientOf(url);
const ledger = await openLedger(path, 0);
let closing = false;
const closed = new Promise((resolve) => {
  createInterface({ input: process.stdin }).on("line", () => {
    closing = true;
    resolve();
  });
});

if (naive) {
  // what stands in most services: look, call, write, mark
  while (!closing) {
    at("tick written");
    const records = await ledger.transaction((tx) => pending(tx, customers, 10));
    for (const { id } of records) {
      at("effect started");
      const price = await client.price(id, "");
      at("effect sent");
      at("pinned");
      await client.store(id, JSON.stringify({ id, price, now: new Date() }));
      at("blob written");
      await ledger.transaction((tx) => tx.query("update customer set marked = 1 where id = ?", [id]));
    }
    at("tick done");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  process.exit(0);
}

const { complete } = ledger;
const watched = {
  ...ledger,
  complete: async (fence, completion) => {
    const completed = await complete(fence, completion);
    // of a tick, which visits no effect of its own, not of a record
    if (completion.visited.length === 0) at("tick done");
    return completed;
  },
};
const { reprise } = declareEnrich({ ledger: watched, client, customers, keyless, at });
await reprise.start();
await closed;
await reprise.close();
process.exit(0);
