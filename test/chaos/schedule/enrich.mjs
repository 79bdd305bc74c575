// What every process declares: customers are enriched by a price that is billed by the call, into blobs.
import { createReprise, unchecked } from "reprise";
import { sqliteLedger } from "reprise/sqlite";

/** The least customers that have no mark yet, below `bound`. */
export async function pending(tx, bound, most) {
  const rows = await tx.query("select id from customer where marked = 0 and id < ? order by id limit ?", [bound, most]);
  return rows.map(({ id }) => ({ id }));
}

export async function openLedger(path, customers) {
  const ledger = sqliteLedger({ path, busy: "20s" });
  await ledger.transaction(async (tx) => {
    await tx.query("create table if not exists customer (id integer primary key, marked integer not null default 0)");
    for (let id = 0; id < customers; id += 1)
      await tx.query("insert into customer (id) values (?) on conflict (id) do nothing", [id]);
  });
  return ledger;
}

/** A gateway and a blob store, as their clients see them. */
export function clientOf(url) {
  const ask = async (path, body) => {
    const response = await fetch(`${url}${path}`, { method: "POST", body });
    return response.text();
  };
  return {
    price: async (id, key) => Number(await ask(`/price/${id}`, key)),
    store: (id, bytes) => ask(`/blob/${id}`, bytes),
  };
}

export function declareEnrich({ ledger, client, customers, keyless, at = () => {} }) {
  const reprise = createReprise({ service: "crash", owner: "test", ledger });
  const each = reprise.operation({
    name: "customer.enrich",
    input: unchecked(),
    ifRunsAgain: "replays",
    costIfTwice: "money",
    principal: "everyone",
    identity: ({ id }) => [id],
    retention: "1d",
    lease: "600ms",
    effects: "external",
    run: async ({ input: { id }, pinned, transaction }) => {
      const price = await pinned(
        "price",
        async (key) => {
          at("effect started");
          const answer = await client.price(id, keyless ? "" : key);
          at("effect sent");
          return answer;
        },
        { ifUnknown: keyless ? "park" : "retry" },
      );
      const now = await pinned("now", new Date());
      at("pinned");
      await client.store(id, JSON.stringify({ id, price, now }));
      at("blob written");
      await transaction((tx) => tx.query("update customer set marked = 1 where id = ?", [id]));
    },
  });
  const schedule = reprise.schedule({
    name: "customers.enrich",
    every: "500ms",
    ifStillRunning: "walk-away",
    ifMissed: { run: "latest", within: "1m" },
    costIfTwice: "money",
    retention: "1d",
    lease: "600ms",
    work: async ({ tx }) => {
      at("tick written");
      return pending(tx, customers, keyless ? 40 : 10);
    },
    each,
  });
  return { reprise, schedule };
}
