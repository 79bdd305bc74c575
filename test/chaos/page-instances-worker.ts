import { createReprise } from "../../src/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";

/** One of the processes of page-instances.test.ts: reads its cache, and writes its figures to the shared file. */

const [path = "", instance = ""] = process.argv.slice(2);
const reprise = createReprise({ service: "shop", undecided: "listed", instance, ledger: sqliteLedger({ path }) });
const product = reprise.cache.readThrough({
  name: "product",
  scope: ["id"],
  freshFor: "60s",
  load: async ({ id }) => id,
});

await reprise.start();
const reading = setInterval(() => void product.get({ id: "a" }), 50);
process.on("message", (message) => {
  if (message !== "close") return;
  clearInterval(reading);
  void reprise.close().then(() => process.exit(0));
});
process.send?.("ready");
