import type pg from "pg";
import { type ConsumeOptions, createReprise, unchecked } from "reprise";
import { type PostgresTransaction, postgresLedger } from "reprise/postgres";
import type { Figure } from "../figure.ts";
import { askPostgres, openPostgresPlace } from "../operations/postgres-place.ts";
import { type Found, rate, ratio, whereIs } from "../operations/standing.ts";
import { interleave, median, ratios } from "../rounds.ts";
import { type Broker, brokers, type Queue } from "./brokers.ts";

/** Unsettled at once: more gains nothing once a database is in it. */
const atOnce = 64;
const batch = { most: 32, within: "5ms" } as const;

interface Seat {
  readonly reference: string;
  readonly seat: number;
}

/** Empties the queue, and resolves when so many messages are settled, with what ends it: how long that takes is told apart. */
type Way = (queue: Queue, messages: number) => Promise<() => Promise<void>>;

/** How fast a queue is emptied into PostgreSQL: with a record of each message, by an upsert alone, and by hand. */
export async function measureConsume(name: string, { quick }: { readonly quick: boolean }): Promise<Found> {
  const broker = brokers[name];
  if (broker === undefined) throw new Error(`no such broker: ${name}`);
  const ask = async () => {
    await askPostgres();
    await broker.ask();
  };
  return whereIs(`${name}, or PostgreSQL,`, ask, () => measure(name, broker, quick));
}

async function measure(name: string, broker: Broker, quick: boolean): Promise<readonly Figure[]> {
  const place = await openPostgresPlace();
  const pool = place.pool();
  const { schema } = place;
  await pool.query(`create table ${schema}.seen (reference text primary key, at timestamptz not null default now())`);
  await pool.query(`create table ${schema}.seat (reference text primary key, seat int not null)`);
  const messages = quick ? 500 : 6_000;
  let next = 0;
  const { ways, close } = await waysOf(pool, schema);
  const closings = new Map<string, number[]>(Object.keys(ways).map((way) => [way, []]));
  try {
    const took = await interleave(
      Object.entries(ways).map(([way, empty]) => ({
        name: way,
        run: async () => {
          const bodies = Array.from({ length: messages }, () => JSON.stringify({ reference: `R-${next++}`, seat: 1 }));
          const queue = await broker.fill(bodies);
          const began = process.hrtime.bigint();
          const stop = await empty(queue, messages);
          const ns = Number(process.hrtime.bigint() - began) / messages;
          const stopping = performance.now();
          await stop();
          closings.get(way)?.push(performance.now() - stopping);
          await queue.drop();
          return ns;
        },
      })),
      quick ? 1 : 5,
    );
    const of = (way: string) => took.get(way) ?? [];
    const compared = (one: string, other: string) => median(ratios(of(other), of(one)));
    const perSecond = (way: string) => 1e9 / median(of(way));
    return [
      ratio(`consume.ledger.${name}.ofHandWritten`, compared("ledger", "dedupe"), 0.95),
      ratio(`consume.upsert.${name}.ofHandWritten`, compared("upsert", "upsertByHand"), 0.95),
      ratio(`consume.single.${name}.ofHandWritten`, compared("single", "dedupe")),
      ratio(`consume.upsertSingle.${name}.ofHandWritten`, compared("upsertSingle", "upsertByHand")),
      ratio(`consume.batch.${name}.gain`, compared("batch", "single"), 2.5),
      ...Object.keys(ways).map((way) => rate(`consume.${name}.${way}`, perSecond(way))),
      closing(`consume.${name}.ledger`, closings.get("ledger") ?? []),
      closing(`consume.${name}.dedupe`, closings.get("dedupe") ?? []),
    ];
  } finally {
    await close();
    await place.drop();
  }
}

/** Of a consumer that has nothing under way. */
function closing(name: string, tookMs: readonly number[]): Figure {
  return { name: `${name}.closeMs`, value: median(tookMs), unit: "ms", better: "lower" };
}

async function waysOf(pool: pg.Pool, schema: string) {
  const upsertText = `insert into ${schema}.seat (reference, seat) values ($1, $2)
    on conflict (reference) do update set seat = excluded.seat where seat.seat < excluded.seat`;
  const upsert = (on: Pick<pg.PoolClient, "query">, { reference, seat }: Seat) =>
    on.query({ name: "upsert", text: upsertText, values: [reference, seat] });
  const write = (tx: PostgresTransaction, { reference, seat }: Seat) => tx.query(upsertText, [reference, seat]);
  const byHand =
    (work: (seat: Seat) => Promise<unknown>): Way =>
    (queue, messages) =>
      counted(messages, (one) => queue.receive(atOnce, (body) => work(JSON.parse(body) as Seat), one));

  const ledger = postgresLedger({ pool, schema });
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger });
  const shared = { input: unchecked<Seat>(), effects: "database" } as const;
  const recorded = reprise.operation({
    ...{ ...shared, name: "recorded", principal: "everyone", retention: "1d" },
    identity: ({ reference }: Seat) => [reference],
    run: ({ input, tx }) => write(tx, input),
  });
  const converging = reprise.operation({
    ...{ ...shared, name: "converging", ifRunsAgain: "converges", costIfTwice: "nothing" },
    run: ({ input, tx }) => write(tx, input),
  });
  await reprise.start();
  const through =
    (operation: typeof recorded | typeof converging, options: Pick<ConsumeOptions<Seat>, "batch"> = {}): Way =>
    (queue, messages) =>
      counted(messages, async (one) => {
        const { source } = queue;
        const telling = {
          ...source,
          open: async (most: number, inOrder?: boolean) => {
            const receiver = await source.open(most, inOrder);
            return {
              ...receiver,
              pull: async (count: number, signal: AbortSignal) =>
                (await receiver.pull(count, signal)).map((delivery) => ({
                  ...delivery,
                  settle: async (settlement: Parameters<typeof delivery.settle>[0]) => {
                    const settled = await delivery.settle(settlement);
                    one();
                    return settled;
                  },
                })),
            };
          },
        };
        const consumer = reprise.consume(operation, telling, { deliveredWithin: "1d", atOnce, ...options });
        return consumer.close;
      });

  const ways: Readonly<Record<string, Way>> = {
    bare: byHand(async () => {}),
    upsertByHand: byHand((seat) => upsert(pool, seat)),
    upsert: through(converging),
    dedupe: byHand(async (seat) => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        const text = `insert into ${schema}.seen (reference) values ($1) on conflict do nothing`;
        const { rowCount } = await client.query({ name: "seen", text, values: [seat.reference] });
        if (rowCount === 1) await upsert(client, seat);
        await client.query("commit");
      } finally {
        client.release();
      }
    }),
    ledger: through(recorded),
    single: through(recorded, { batch: "off" }),
    upsertSingle: through(converging, { batch: "off" }),
    batch: through(recorded, { batch }),
  };
  return { ways, close: () => reprise.close() };
}

/**
 * Resolves when all messages were told of.
 * @param begin is given what is called once for each message; what it returns ends it
 */
async function counted(
  messages: number,
  begin: (one: () => void) => Promise<() => Promise<void>>,
): Promise<() => Promise<void>> {
  let left = messages;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const stop = await begin(() => {
    left -= 1;
    if (left === 0) end();
  });
  await ended;
  return stop;
}
