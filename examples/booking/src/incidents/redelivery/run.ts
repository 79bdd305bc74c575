import { join } from "node:path";
import type { Duration } from "reprise";
import { type Child, startChild } from "../../children.ts";
import { startMails } from "../../mail/process.ts";
import { createRandom } from "../../random.ts";
import { type Progress, within } from "../scratch.ts";
import { type Damage, damageIn, sum } from "./count.ts";
import type { InHand } from "./killing.ts";
import { type Point, points } from "./points.ts";
import { startSending } from "./sending.ts";
import type { Side, WorkerOrder, WorkerStart } from "./worker.ts";

export interface SideSettings {
  readonly side: Side;
  readonly directory: string;
  readonly rabbitmq: WorkerStart["rabbitmq"];
  readonly kills: number;
  readonly seed: number;
  readonly progress: Progress;
}

/** One kill: messages were sent, a consumer was killed over them, and whoever was left or came went on. */
export interface Round extends Damage {
  readonly point: Point;
  readonly told: string;
}

export interface SideResult {
  readonly rounds: readonly Round[];
  readonly total: Damage;
  readonly messages: number;
}

/** Of the work, and of whoever receives: what a dead one held comes again after so long. */
export const lease: Duration = "2s";
/** What a mail takes: long enough to be killed in. */
const worksMs = 20;
/** Business messages before each kill. */
export const messages = 6;
/** Nothing came for so long: all is done with. */
const quietMs = 500;
const roundWithinMs = 60_000;

export async function runSide(settings: SideSettings): Promise<SideResult> {
  const { side, directory, rabbitmq, kills, progress } = settings;
  const path = join(directory, `${side}.db`);
  const books = join(directory, `${side}-mails.db`);
  const random = createRandom(settings.seed);
  const mails = await startMails({ path: books, workMs: worksMs });
  const pace = { lease };
  const sending = await startSending(path, rabbitmq, pace);
  const start = (): Promise<Worker> =>
    startChild<"ready">("redelivery-worker", [
      JSON.stringify({ side, path, mails: mails.address, rabbitmq, pace } satisfies WorkerStart),
    ]);
  let workers: readonly Worker[] = [];
  const rounds: Round[] = [];
  const sent: string[] = [];
  try {
    workers = await Promise.all([start(), start()]);
    for (let round = 0; round < kills; round += 1) {
      const point = points[round % points.length] ?? points[0];
      const batch = Array.from({ length: messages }, (_, at) => `${side}-${round + 1}-${at + 1}`);
      sent.push(...batch);
      const order = { arm: point, time: 1 + Math.floor(random() * 3) };
      await Promise.all(workers.map((worker) => worker.ask(order)));
      const killed = Promise.race(workers.map((worker) => worker.ended));
      for (const reference of batch) await sending.send({ user: "alice", reference, workshop: "w-001" });
      await within(killed, roundWithinMs, `No consumer came over '${point}'.`);
      workers = await goOn(workers, start);
      await within(untilDone(sending.waiting, workers), roundWithinMs, `After '${point}' messages are left.`);
      const damage = damageIn(books, batch);
      rounds.push({ point, told: toldOf(damage), ...damage });
      progress(`${side}: kill ${round + 1} of ${kills}, ${point}`, (round + 1) / kills);
    }
    return { rounds, total: rounds.reduce<Damage>(sum, { effectsTwice: 0, lost: 0 }), messages: sent.length };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await sending.close();
    await mails.stop();
  }
}

type Worker = Child<"ready">;

/** Nobody else is killed, and another takes the place of each that was. */
async function goOn(workers: readonly Worker[], start: () => Promise<Worker>): Promise<readonly Worker[]> {
  const order: WorkerOrder = { arm: null, time: 1 };
  return Promise.all(
    workers.map(async (worker) => {
      // one that is asked may die of what it was told before
      const lives = await worker.ask(order).then(
        () => true,
        () => false,
      );
      if (lives) return worker;
      const { signalCode, exitCode } = worker.process;
      if (signalCode !== "SIGKILL") throw new Error(`A consumer ended with ${signalCode ?? exitCode}, not by SIGKILL.`);
      return start();
    }),
  );
}

async function untilDone(waiting: () => Promise<number>, workers: readonly Worker[]): Promise<void> {
  for (;;) {
    const inHand = await Promise.all(workers.map((worker) => worker.ask<InHand>("in-hand")));
    const isQuiet = inHand.every((one) => one.messages === 0 && one.quietMs > quietMs);
    if (isQuiet && (await waiting()) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function toldOf({ effectsTwice, lost }: Damage): string {
  const once = messages - effectsTwice - lost;
  return `${once} of ${messages} told once`;
}
