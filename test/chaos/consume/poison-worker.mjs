// Takes messages until it is told to end, or one of them ends it.
import pg from "pg";
import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { openBroker } from "./brokers.mjs";

const { broker, name, schema, atOnce, attempts } = JSON.parse(process.argv[2]);
const connectionString = process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test";
const pool = new pg.Pool({ connectionString, max: 8 });
const reprise = createReprise({ service: "shop", undecided: "listed", ledger: postgresLedger({ pool, schema }) });
const tell = (told) => new Promise((resolve) => process.send(told, resolve));
const book = reprise.operation({
  ...{ name: "seat.book", input: unchecked(), principal: "everyone", retention: "1d", costIfTwice: "trust" },
  ...{ effects: "database", identity: ({ reference }) => [reference] },
  run: async ({ input: { reference }, tx }) => {
    await tell({ is: "run", reference });
    if (reference === "poison") process.kill(process.pid, "SIGKILL");
    await tx.query(`insert into ${schema}.booking values ($1)`, [reference]);
  },
});
const source = (await openBroker(broker)).source(name);
const watched = {
  ...source,
  open: async (...asked) => {
    const receiver = await source.open(...asked);
    return {
      ...receiver,
      pull: async (count, signal) =>
        (await receiver.pull(count, signal)).map((delivery) => ({
          ...delivery,
          settle: async (settlement) => {
            if (settlement.is === "dead-letter") await tell({ is: "set-aside", reference: delivery.read().reference });
            return delivery.settle(settlement);
          },
        })),
    };
  },
};
reprise.consume(book, watched, { deliveredWithin: "1d", atOnce, attempts });
await reprise.start();
process.on("SIGTERM", async () => {
  await reprise.close();
  await pool.end();
  process.disconnect();
});
