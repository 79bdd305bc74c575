import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { bigint, integer, pgSchema, text, timestamp } from "drizzle-orm/pg-core";
import type pg from "pg";
import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { drizzleTransactions } from "reprise/transactions";
import type { Figure } from "../figure.ts";
import { type Booking, confirm, nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import { askPostgres, openPostgresPlace, poolSize, postgresUrl } from "./postgres-place.ts";
import { namings, type Way } from "./postgres-ways.ts";
import { type Part, rate, ratio, standing, traffic, whereIs } from "./standing.ts";
import { countingProxy } from "./wire.ts";

/** The same in the transactions of a mapper, Drizzle: its statements go one by one, on both sides. */
export const joinedPostgres: Part = (rounds) => whereIs("PostgreSQL", askPostgres, () => measure(rounds));

const name = "atomic.postgres.joined";

async function measure(rounds: number): Promise<readonly Figure[]> {
  const place = await openPostgresPlace();
  try {
    const ways = await waysOf(place.pool(), place.schema);
    const contestants = Object.entries(ways.of).map(([way, book]) => ({ name: way, once: () => book(nextBooking()) }));
    const results = await contest(contestants, { clients: poolSize, rounds, sliceMs: 500 });
    await ways.close();
    const target = new URL(postgresUrl);
    const proxy = await countingProxy("postgres", { host: target.hostname, port: Number(target.port || 5432) });
    target.port = String(proxy.port);
    const counted = await waysOf(place.pool(target.href, 1), place.schema);
    const figures = [
      ...standing(results, name, { of: ["reprise", "handWritten"], goal: 0.8 }),
      ratio(`${name}.twoNames.ofHandWritten`, results.ofRate("twoNames", "handWritten")),
      ...standing(results, name, { of: ["reprise", "bare"] }),
      rate(name, results.perSecond("reprise")),
      rate(`${name}.handWritten`, results.perSecond("handWritten")),
      rate(`${name}.bare`, results.perSecond("bare")),
      ...traffic(name, await proxy.trafficOf(() => counted.of.reprise(nextBooking()))),
      ...traffic(`${name}.handWritten`, await proxy.trafficOf(() => counted.of.handWritten(nextBooking()))),
      ...traffic(`${name}.bare`, await proxy.trafficOf(() => counted.of.bare(nextBooking()))),
    ];
    await counted.close();
    await proxy.close();
    return figures;
  } finally {
    await place.drop();
  }
}

async function waysOf(pool: pg.Pool, schema: string) {
  const db = drizzle(pool);
  const own = pgSchema(schema);
  const bookings = own.table("booking", {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    reference: text().notNull(),
    seat: integer().notNull(),
  });
  const keys = own.table("handwritten", {
    key: text().primaryKey(),
    response: text(),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().default(sql`now()`),
  });

  const reprise = createReprise({
    service: "bench",
    undecided: "listed",
    ledger: postgresLedger({ pool, schema, transactions: drizzleTransactions(db) }),
  });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<Booking>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.insert(bookings).values({ reference: input.reference, seat: input.seat });
      return confirm(input);
    },
  });
  await reprise.start();

  const bare: Way = (booking) =>
    db.transaction(async (tx) => {
      await tx.insert(bookings).values({ reference: booking.reference, seat: booking.seat });
      return confirm(booking);
    });
  const handWritten: Way = (booking) =>
    db.transaction(async (tx) => {
      const { reference, seat } = booking;
      const claimed = await tx.insert(keys).values({ key: reference }).onConflictDoNothing();
      if (claimed.rowCount === 0) throw new Error("this key was there before");
      await tx.insert(bookings).values({ reference, seat });
      const confirmation = confirm(booking);
      await tx
        .update(keys)
        .set({ response: JSON.stringify(confirmation) })
        .where(sql`${keys.key} = ${reference}`);
      return confirmation;
    });
  return { of: { bare, handWritten, ...namings(book) }, close: () => reprise.close() };
}
