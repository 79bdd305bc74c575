import type { Figure } from "../figure.ts";
import { nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import { startPgbouncer } from "./pgbouncer.ts";
import { askPostgres, openPostgresPlace, poolSize, postgresUrl } from "./postgres-place.ts";
import { bare, handWritten, operation, type PostgresSettings } from "./postgres-ways.ts";
import { type Part, rate, ratio, standing, traffic, whereIs } from "./standing.ts";
import { countingProxy } from "./wire.ts";

/** Claim, work and outcome in one transaction, on the pool that is the ledger's. */
export const atomicPostgres: Part = (rounds) =>
  whereIs("PostgreSQL", askPostgres, () =>
    measure("atomic.postgres", { rounds, goal: 1.2, prepared: true, url: postgresUrl }),
  );

/** The same through a real PgBouncer in transaction mode, where nobody may name a statement. */
export const atomicPooled: Part = (rounds) => {
  let pooler: Awaited<ReturnType<typeof startPgbouncer>> | undefined;
  const connect = async () => {
    await askPostgres();
    pooler = await startPgbouncer(postgresUrl, poolSize);
  };
  return whereIs("PostgreSQL behind PgBouncer", connect, async () => {
    try {
      const url = pooler?.url ?? postgresUrl;
      return await measure("atomic.postgres.unnamed", { rounds, goal: 1.05, prepared: false, url });
    } finally {
      await pooler?.stop();
    }
  });
};

interface Plan {
  readonly rounds: number;
  readonly goal: number;
  readonly prepared: boolean;
  readonly url: string;
}

async function measure(name: string, { rounds, goal, prepared, url }: Plan): Promise<readonly Figure[]> {
  const place = await openPostgresPlace();
  try {
    const settings = { pool: place.pool(url), schema: place.schema, prepared };
    const ours = await operation(settings);
    const ways = { bare: bare(settings), handWritten: handWritten(settings), ...ours.ways };
    const contestants = Object.entries(ways).map(([way, book]) => ({ name: way, once: () => book(nextBooking()) }));
    const results = await contest(contestants, { clients: poolSize, rounds, sliceMs: 500 });
    await ours.close();
    return [
      ...standing(results, name, { of: ["reprise", "handWritten"], goal }),
      ratio(`${name}.twoNames.ofHandWritten`, results.ofRate("twoNames", "handWritten")),
      ...standing(results, name, { of: ["reprise", "bare"] }),
      rate(name, results.perSecond("reprise")),
      rate(`${name}.handWritten`, results.perSecond("handWritten")),
      rate(`${name}.bare`, results.perSecond("bare")),
      ...(await traffics(name, settings, (max, counted) => place.pool(counted, max), url)),
    ];
  } finally {
    await place.drop();
  }
}

async function traffics(
  name: string,
  settings: PostgresSettings,
  pool: (max: number, url: string) => PostgresSettings["pool"],
  url: string,
): Promise<readonly Figure[]> {
  const target = new URL(url);
  const proxy = await countingProxy("postgres", { host: target.hostname, port: Number(target.port || 5432) });
  target.hostname = "127.0.0.1";
  target.port = String(proxy.port);
  const counted = { ...settings, pool: pool(1, target.href) };
  const ours = await operation(counted);
  try {
    return [
      ...traffic(name, await proxy.trafficOf(() => ours.ways.reprise(nextBooking()))),
      ...traffic(`${name}.handWritten`, await proxy.trafficOf(() => handWritten(counted)(nextBooking()))),
      ...traffic(`${name}.bare`, await proxy.trafficOf(() => bare(counted)(nextBooking()))),
    ];
  } finally {
    await ours.close();
    await proxy.close();
  }
}
