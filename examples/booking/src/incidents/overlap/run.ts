import { join } from "node:path";
import { type Child, startChild } from "../../children.ts";
import { type CustomerChange, customerTables } from "../../database/customers.ts";
import { type Database, inTransaction, openDatabase } from "../../database/driver.ts";
import type { EnrichmentPace } from "../../jobs/enrichment.ts";
import { startPrices } from "../../prices/process.ts";
import { createRandom } from "../../random.ts";
import { type Progress, within } from "../scratch.ts";
import { callsFor, type Damage, damageIn } from "./count.ts";
import { type Point, pointsWith, pointsWithout } from "./points.ts";
import type { WorkerOrder, WorkerStart } from "./worker.ts";

export interface SideSettings {
  readonly side: "without" | "with";
  readonly keys: EnrichmentPace["keys"];
  readonly directory: string;
  readonly kills: number;
  readonly seed: number;
  readonly progress: Progress;
}

/** One kill: customers changed, the worker overlapped itself and was killed over them, and whoever came next went on. */
export interface Round extends Damage {
  readonly point: Point;
  readonly told: string;
}

export interface SideResult {
  readonly rounds: readonly Round[];
  readonly total: Damage;
  readonly calls: number;
  readonly changes: number;
  /** Changes that wait for a person, because nobody knows whether they were billed. */
  readonly unknown: number;
}

/** What a price takes: long enough to be killed in, and to overlap with. */
const worksMs = 30;
/** Of a worker's tick, and of its leases, which a dead one holds for so long. */
export const everyMs = 1_000;
/** Changed before each kill. */
const customers = 8;
/** When the next worker comes while the first is at its second or third customer. */
const overlapsAfterMs = 70;
const roundWithinMs = 30_000;

export async function runSide(settings: SideSettings): Promise<SideResult> {
  const { side, keys, directory, kills, progress } = settings;
  const name = keys === "honoured" ? side : `${side}-no-keys`;
  const file = (what: string) => join(directory, `${name}-${what}`);
  const books = { prices: file("prices.db"), history: file("history.db") };
  const random = createRandom(settings.seed);
  const database = openDatabase(file("crm.db"));
  database.exec(customerTables);
  const prices = await startPrices({ path: books.prices, workMs: worksMs, keys });
  const start = (): Promise<Worker> =>
    startChild<"ready">("overlap-worker", [
      JSON.stringify({
        ...{ side, path: file("crm.db"), prices: prices.address, worksMs, directory: file("blobs") },
        ...{ history: books.history, pace: { every: `${everyMs}ms`, lease: `${everyMs}ms`, keys } },
      } satisfies WorkerStart),
    ]);
  const workers = side === "without" ? createCron(database, start) : createInstances(database, start);
  const points = keys === "ignored" ? pointsOfLostAnswers : side === "with" ? pointsWith : pointsWithout;
  const changes: CustomerChange[] = [];
  const rounds: Round[] = [];
  try {
    for (let round = 0; round < kills; round += 1) {
      const point = points[round % points.length] ?? "ask: before the request";
      const batch = Array.from({ length: customers }, (_, at) => ({ customer: `c-${round + 1}-${at + 1}`, change: 1 }));
      changes.push(...batch);
      const order = { arm: point, time: 2 + Math.floor(random() * 4) };
      await within(workers.killAndGoOn(batch, order), roundWithinMs, `The worker did not come over '${point}'.`);
      const told = `${callsFor(books, batch)} calls billed for ${customers} customers`;
      rounds.push({ point, told, ...damageIn(books, batch) });
      progress(`${name}: kill ${round + 1} of ${kills}, ${point}`, (round + 1) / kills);
    }
    await workers.stop();
    return {
      ...{ rounds, total: damageIn(books, changes), calls: callsFor(books, changes), changes: changes.length },
      unknown: pendingIn(database),
    };
  } finally {
    await workers.stop();
    await prices.stop();
    database.close();
  }
}

const pointsOfLostAnswers: readonly Point[] = ["ask: while the price API works", "answer: come, not kept"];

type Worker = Child<"ready">;

interface Workers {
  /** Changes customers, overlaps, kills at the point, and resolves when whoever came next has nothing left to do. */
  readonly killAndGoOn: (batch: readonly CustomerChange[], order: WorkerOrder & object) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A timer that starts a worker each time, whether or not the last one has ended. */
function createCron(database: Database, start: () => Promise<Worker>): Workers {
  const running = new Set<Worker>();
  const next = async () => {
    const worker = await start();
    running.add(worker);
    void worker.ended.then(() => running.delete(worker));
    return worker;
  };
  return {
    killAndGoOn: async (batch, order) => {
      const [first, second] = await Promise.all([next(), next()]);
      await first.ask(order);
      change(database, batch);
      // it is killed over it
      const killed = first.ask("go").catch(() => undefined);
      await pause(overlapsAfterMs);
      await second.ask("go");
      await killed;
      await first.ended;
      expectKilled(first, order);
      while (pendingIn(database) > 0) {
        const later = await next();
        await later.ask("go");
        await later.ended;
      }
    },
    stop: async () => {
      await Promise.all([...running].map((worker) => worker.stop()));
    },
  };
}

/** Two instances of the service, each with the schedule. */
function createInstances(database: Database, start: () => Promise<Worker>): Workers {
  let instances: readonly Worker[] = [];
  return {
    killAndGoOn: async (batch, order) => {
      if (instances.length === 0) instances = await Promise.all([start(), start()]);
      // whichever runs the tick is killed; the other walks away from it, and takes it over when the dead one's lease ends
      await Promise.all(instances.map((instance) => instance.ask(order)));
      change(database, batch);
      const dead = await Promise.race(instances.map((instance) => instance.ended.then(() => instance)));
      expectKilled(dead, order);
      const others = instances.filter((instance) => instance !== dead);
      await Promise.all(others.map((instance) => instance.ask({ arm: null, time: 1 } satisfies WorkerOrder)));
      const later = await start();
      instances = [...others, later];
      // what waits for a person stays pending
      while (pendingIn(database) > (await later.ask<number>("unknown"))) await pause(50);
    },
    stop: async () => {
      await Promise.all(instances.map((instance) => instance.stop()));
      instances = [];
    },
  };
}

function change(database: Database, batch: readonly CustomerChange[]): void {
  const insert = database.prepare("insert into customers (user, change, changed_at) values (?, ?, ?)");
  inTransaction(database, () => {
    for (const { customer, change: number } of batch) insert.all(customer, number, Date.now());
  });
}

function pendingIn(database: Database): number {
  const [row] = database.prepare("select count(*) as pending from customers where enriched < change").all();
  return Number(row?.["pending"]);
}

function expectKilled({ process: { signalCode, exitCode } }: Worker, { arm }: WorkerOrder & object): void {
  if (signalCode === "SIGKILL") return;
  throw new Error(`A worker ended with ${signalCode ?? exitCode} and not by SIGKILL at '${arm}'.`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
