import { createReprise, unchecked } from "reprise";
import { postgresLedger } from "reprise/postgres";
import type { Figure } from "../figure.ts";
import { type Booking, confirm, nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import { askPostgres, openPostgresPlace, poolSize, postgresUrl } from "./postgres-place.ts";
import { bare, namings, type PostgresSettings, transact, type Way, workOn } from "./postgres-ways.ts";
import { type Part, rate, ratio, standing, traffic, whereIs } from "./standing.ts";
import { countingProxy } from "./wire.ts";

/**
 * One effect outside, then one transaction, which completes the work or, plain, is followed by the completion. Beside it
 * the atomic phases of the Rocket Rides article, written by hand: the key is looked for and claimed, the effect's answer
 * moves the recovery point, and the work with the response is one transaction; nothing is written down before the effect
 * is called, and nothing fences.
 */
export const externalPostgres: Part = (rounds) => whereIs("PostgreSQL", askPostgres, () => measure(rounds));

const name = "external.postgres";

async function measure(rounds: number): Promise<readonly Figure[]> {
  const place = await openPostgresPlace();
  try {
    const settings = { pool: place.pool(), schema: place.schema, prepared: true };
    const ours = await operations(settings);
    const ways = { bare: bare(settings), phases: phases(settings), ...ours.ways };
    const contestants = Object.entries(ways).map(([way, book]) => ({ name: way, once: () => book(nextBooking()) }));
    const results = await contest(contestants, { clients: poolSize, rounds, sliceMs: 500 });
    await ours.close();

    const target = new URL(postgresUrl);
    const proxy = await countingProxy("postgres", { host: target.hostname, port: Number(target.port || 5432) });
    target.port = String(proxy.port);
    const counted = { ...settings, pool: place.pool(target.href, 1) };
    const countedOurs = await operations(counted);
    const trafficOf = (way: Way) => proxy.trafficOf(() => way(nextBooking()));
    const figures = [
      ...standing(results, name, { of: ["last", "phases"], goal: 1.2 }),
      ratio(`${name}.twoNames.ofPhases`, results.ofRate("twoNames", "phases")),
      ...standing(results, `${name}.plain`, { of: ["plain", "phases"], goal: 1 }),
      ...standing(results, name, { of: ["last", "bare"] }),
      rate(name, results.perSecond("last")),
      rate(`${name}.plain`, results.perSecond("plain")),
      rate(`${name}.phases`, results.perSecond("phases")),
      rate(`${name}.bare`, results.perSecond("bare")),
      ...traffic(name, await trafficOf(countedOurs.ways.last)),
      ...traffic(`${name}.plain`, await trafficOf(countedOurs.ways.plain)),
      ...traffic(`${name}.phases`, await trafficOf(phases(counted))),
      ...traffic(`${name}.bare`, await trafficOf(bare(counted))),
    ];
    await countedOurs.close();
    await proxy.close();
    return figures;
  } finally {
    await place.drop();
  }
}

/** The other side answers at once: what is measured is what surrounds it. */
async function charge(): Promise<string> {
  return "ch_1";
}

function phases(settings: PostgresSettings): Way {
  const table = `${settings.schema}.handwritten`;
  const work = workOn(settings.schema);
  return async (booking) => {
    const { reference, seat } = booking;
    await transact(settings, async (query) => {
      // reprise: sound, the key is the primary key: of two at once the second fails, as in what people write and is measured here
      const found = await query("find", `select recovery_point from ${table} where key = $1`, [reference]);
      if (found.rowCount !== 0) throw new Error("this key was there before");
      await query("create", `insert into ${table} (key, recovery_point) values ($1, 'started')`, [reference]);
    });
    const charged = await charge();
    await transact(settings, async (query) => {
      const point = `update ${table} set recovery_point = 'charge_created', charge = $2 where key = $1`;
      await query("charged", point, [reference, charged]);
    });
    return transact(settings, async (query) => {
      await query("work", work, [reference, seat]);
      const confirmation = confirm(booking);
      const end = `update ${table} set recovery_point = 'finished', response = $2 where key = $1`;
      await query("finish", end, [reference, JSON.stringify(confirmation)]);
      return confirmation;
    });
  };
}

async function operations({ pool, schema, prepared }: PostgresSettings) {
  const reprise = createReprise({
    service: "bench",
    undecided: "listed",
    ledger: postgresLedger({ pool, schema, prepared }),
  });
  const work = workOn(schema);
  const declare = (name: string, last: boolean) =>
    reprise.operation({
      name,
      input: unchecked<Booking>(),
      principal: "everyone",
      identity: (input) => [input.reference],
      retention: "1d",
      effects: "external",
      run: async ({ input, effect, transaction }) => {
        await effect("charge", { ifUnknown: "retry", run: charge });
        return transaction(
          async (tx) => {
            await tx.query(work, [input.reference, input.seat]);
            return confirm(input);
          },
          { last },
        );
      },
    });
  const { reprise: last, twoNames } = namings(declare("seat.book", true));
  const ways = { last, twoNames, plain: namings(declare("seat.book.plain", false)).reprise };
  await reprise.start();
  return { ways, close: () => reprise.close() };
}
