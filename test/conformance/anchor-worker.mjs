// Commits an anchored transaction and says so; it never gets to pin its answer, for it is killed there.
import { Redis } from "ioredis";
import mysql from "mysql2/promise";
import pg from "pg";
import { createReprise, unchecked } from "reprise";
import { mysqlLedger } from "reprise/mysql";
import { postgresLedger } from "reprise/postgres";
import { redisLedger } from "reprise/redis";
import { sqliteLedger } from "reprise/sqlite";
import { faultyLedger } from "reprise/testing";

const place = JSON.parse(process.argv[2]);

function bookings() {
  switch (place.store) {
    case "postgres":
      return postgresLedger({ pool: new pg.Pool({ connectionString: place.url }), schema: place.schema });
    case "mysql": {
      const { host, port, user, database } = place;
      return mysqlLedger({ pool: mysql.createPool({ host, port: Number(port), user, database }) });
    }
    default:
      return sqliteLedger({ path: place.path });
  }
}

const operations = faultyLedger(redisLedger({ client: new Redis(place.redis), prefix: place.prefix }));
const reprise = createReprise({ service: "anchors", undecided: "listed", ledger: operations.ledger });
const anchor = reprise.anchor({ ledger: bookings(), retention: "1d" });
const table = place.store === "postgres" ? `${place.schema}.booking` : "booking";
const book = reprise.operation({
  name: "seat.book",
  input: unchecked(),
  principal: "everyone",
  identity: (input) => [input.reference],
  retention: "1d",
  effects: "external",
  run: ({ input, effect }) =>
    effect(
      "book",
      anchor.transaction(async (tx) => {
        await tx.query(`insert into ${table} (identity) values ('${input.reference}')`);
        return { reference: input.reference, by: "killed" };
      }),
    ),
});

const pin = operations.block("pin");
void book.execute({ reference: place.reference });
await pin.reached;
process.send("committed");
