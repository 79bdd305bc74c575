import type pg from "pg";
import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { type Booking, type Confirmation, confirm } from "./booking.ts";

/** The same booking on PostgreSQL: with nothing, with a key table as most write it, and as an operation. */

export interface PostgresSettings {
  readonly pool: pg.Pool;
  readonly schema: string;
  /** Whether connections prepare statements under names. */
  readonly prepared: boolean;
}

export type Way = (booking: Booking) => Promise<Confirmation>;

/** Statements of one connection, each under its name where names may be used. */
export type Query = (name: string, text: string, values: readonly unknown[]) => Promise<pg.QueryResult>;

export function workOn(schema: string) {
  return `insert into ${schema}.booking (reference, seat) values ($1, $2)`;
}

/** `work` between BEGIN and COMMIT, on a connection of the pool. */
export async function transact<T>(
  { pool, prepared }: PostgresSettings,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const query: Query = (name, text, values) =>
    client.query({ text, values: [...values], ...(prepared ? { name } : {}) });
  try {
    await client.query("begin");
    const value = await work(query);
    await client.query("commit");
    return value;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

export function bare(settings: PostgresSettings): Way {
  const work = workOn(settings.schema);
  return (booking) =>
    transact(settings, async (query) => {
      await query("work", work, [booking.reference, booking.seat]);
      return confirm(booking);
    });
}

/** Claim first, one name. What was asked for before is answered from the table. */
export function handWritten(settings: PostgresSettings): Way {
  const table = `${settings.schema}.handwritten`;
  const work = workOn(settings.schema);
  return (booking) =>
    transact(settings, async (query) => {
      const { reference, seat } = booking;
      const claim = `insert into ${table} (key) values ($1) on conflict do nothing`;
      if ((await query("claim", claim, [reference])).rowCount === 0) {
        const { rows } = await query("replay", `select response from ${table} where key = $1`, [reference]);
        return JSON.parse(rows[0].response) as Confirmation;
      }
      await query("work", work, [reference, seat]);
      const confirmation = confirm(booking);
      const keep = `update ${table} set response = $2 where key = $1`;
      await query("keep", keep, [reference, JSON.stringify(confirmation)]);
      return confirmation;
    });
}

/** The operation that carries the booking, with two names: its reference and its caller's key. */
export function bookingOperation({ pool, schema, prepared }: PostgresSettings) {
  const reprise = createReprise({
    service: "bench",
    undecided: "listed",
    ledger: postgresLedger({ pool, schema, prepared }),
  });
  const work = workOn(schema);
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<Booking>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.query(work, [input.reference, input.seat]);
      return confirm(input);
    },
  });
  return { reprise, book };
}

export async function operation(
  settings: PostgresSettings,
): Promise<{ readonly ways: Readonly<Record<"reprise" | "twoNames", Way>>; readonly close: () => Promise<void> }> {
  const { reprise, book } = bookingOperation(settings);
  await reprise.start();
  return { ways: namings(book), close: () => reprise.close() };
}

/** By its identity alone, as the key table knows one name; and by the key that a caller sends beside it. */
export function namings(book: {
  readonly run: (booking: Booking, options?: { readonly key: string }) => Promise<Confirmation>;
}): Readonly<Record<"reprise" | "twoNames", Way>> {
  return {
    reprise: (booking) => book.run(booking),
    twoNames: (booking) => book.run(booking, { key: `key-${booking.reference}` }),
  };
}
