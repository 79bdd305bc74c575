import type { DatabasePool } from "../database/pool.ts";
import { anOldOne, deliver, noteDelivered, undelivered } from "../database/staging.ts";

/**
 * Delivers the changes of bookings into the staging table at least once, as queues and exports do: not in their order, some
 * twice, and now and then one of long ago.
 */
export interface Feed {
  readonly stop: () => Promise<void>;
}

const atOnce = 100;
const twice = 0.1;
const replayed = 0.2;

export function startFeed(database: DatabasePool, everyMs: number): Feed {
  let stopped = false;
  let delivering = Promise.resolve();
  const timer = setInterval(() => {
    delivering = delivering.then(async () => {
      if (!stopped) await deliverSome(database);
    });
    // what was not delivered now is delivered later: a busy database is nobody's error here
    delivering = delivering.catch(() => undefined);
  }, everyMs);
  return {
    stop: () => {
      stopped = true;
      clearInterval(timer);
      return delivering;
    },
  };
}

async function deliverSome(database: DatabasePool): Promise<void> {
  const waiting = await undelivered(database, atOnce);
  const repeated = waiting.filter(() => Math.random() < twice);
  const old = Math.random() < replayed ? await anOldOne(database) : [];
  const delivered = shuffled([...waiting, ...repeated, ...old]);
  if (delivered.length === 0) return;
  await deliver(database, delivered);
  // a crash before this line delivers them once more
  await noteDelivered(database, waiting);
}

function shuffled<T>(all: readonly T[]): readonly T[] {
  return all
    .map((one) => ({ one, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one);
}
