// One of several processes that take messages, and kills itself at a chosen point.
import { createInterface } from "node:readline";
import pg from "pg";
import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { openBroker } from "./brokers.mjs";

const { broker, name, schema, url, effects, killAt, killAtCall, naive } = JSON.parse(process.argv[2]);
let passed = 0;
const at = (point) => {
  if (point !== killAt) return;
  passed += 1;
  if (passed >= killAtCall) process.kill(process.pid, "SIGKILL");
};
const pool = new pg.Pool({
  connectionString: process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test",
  max: 8,
});
const charge = async (reference, key) => {
  const response = await fetch(`${url}/${reference}`, { method: "POST", body: key });
  return response.text();
};
const closed = new Promise((resolve) => {
  // a run that was ended leaves none of them behind
  createInterface({ input: process.stdin }).on("line", resolve).on("close", resolve);
});

if (naive) {
  // look, work, write it down, acknowledge
  void (await openBroker(broker)).receive(name, 8, async (body) => {
    at("received");
    const { reference } = JSON.parse(body);
    const seen = await pool.query(`select 1 from ${schema}.seen where reference = $1`, [reference]);
    at("claimed");
    if (seen.rowCount === 0) {
      if (effects === "external") await charge(reference, "");
      else await pool.query(`insert into ${schema}.booking values ($1)`, [reference]);
      at("effect");
      await pool.query(`insert into ${schema}.seen values ($1) on conflict do nothing`, [reference]);
    }
    at("recorded");
    setImmediate(() => at("acknowledged"));
  });
  await closed;
  process.exit(0);
}

const reprise = createReprise({ service: "shop", undecided: "listed", ledger: postgresLedger({ pool, schema }) });
const shared = {
  ...{ name: "seat.book", input: unchecked(), principal: "everyone", retention: "1d", costIfTwice: "money" },
  identity: ({ reference }) => [reference],
};
const book =
  effects === "external"
    ? reprise.operation({
        ...{ ...shared, effects: "external", lease: "2s" },
        run: async ({ input, effect }) => {
          at("claimed");
          const answer = await effect("charge", {
            ifUnknown: "retry",
            run: (key) => charge(input.reference, key),
          });
          at("effect");
          return answer;
        },
      })
    : reprise.operation({
        ...{ ...shared, effects: "database" },
        run: async ({ input, tx }) => {
          at("claimed");
          await tx.query(`insert into ${schema}.booking values ($1)`, [input.reference]);
          at("effect");
        },
      });

const source = await (await openBroker(broker)).source(name);
const watched = {
  ...source,
  open: async (...asked) => {
    const receiver = await source.open(...asked);
    return {
      ...receiver,
      pull: async (count, signal) =>
        (await receiver.pull(count, signal)).map((delivery) => ({
          ...delivery,
          read: () => {
            at("received");
            return delivery.read();
          },
          settle: async (settlement) => {
            at("recorded");
            const settled = await delivery.settle(settlement);
            at("acknowledged");
            return settled;
          },
        })),
    };
  },
};
// killed so often, any of them would be taken for what kills
reprise.consume(book, watched, { deliveredWithin: "1d", atOnce: 8, attempts: 1_000 });
await reprise.start();
await closed;
await reprise.close();
await pool.end();
process.exit(0);
