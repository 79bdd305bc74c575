// Takes messages until it is told to end, and tells its parent of each.
import pg from "pg";
import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { openBroker } from "./brokers.mjs";

const { broker, name, schema, atOnce, workMs } = JSON.parse(process.argv[2]);
const connectionString = process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/test";
const pool = new pg.Pool({ connectionString, max: 8 });
const reprise = createReprise({ service: "shop", undecided: "listed", ledger: postgresLedger({ pool, schema }) });
const book = reprise.operation({
  ...{ name: "seat.book", input: unchecked(), principal: "everyone", retention: "1d", costIfTwice: "trust" },
  ...{ effects: "external", identity: ({ reference }) => [reference] },
  run: async ({ input: { reference }, transaction }) => {
    process.send({ is: "began", reference });
    await new Promise((resolve) => setTimeout(resolve, workMs));
    await transaction((tx) => tx.query(`insert into ${schema}.booking values ($1)`, [reference]));
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
        (await receiver.pull(count, signal)).map((delivery) => {
          const { reference } = delivery.read();
          process.send({ is: "delivered", reference });
          return {
            ...delivery,
            settle: async (settlement) => {
              const settled = await delivery.settle(settlement);
              if (settlement.is === "acknowledge") process.send({ is: "finished", reference });
              return settled;
            },
          };
        }),
    };
  },
};
reprise.consume(book, watched, { deliveredWithin: "1d", atOnce });
await reprise.start();
process.on("SIGTERM", async () => {
  await reprise.close();
  await pool.end();
  process.disconnect();
});
