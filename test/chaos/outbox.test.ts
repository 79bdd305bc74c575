import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import amqplib from "amqplib";
import { afterAll, expect, type TestContext, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresPlace, postgresUrl, postgresVersion } from "../support/postgres.ts";
import { buildProgram } from "../support/program.ts";
import { rabbitmqUrl, rabbitmqVersion } from "../support/rabbitmq.ts";
import type { OutboxWorkerSettings, Point, Stop } from "./outbox-worker.ts";

const missing =
  (await postgresVersion()) === undefined
    ? "no PostgreSQL answers"
    : (await rabbitmqVersion()) === undefined
      ? "no RabbitMQ answers"
      : undefined;

/** Each process goes through what those before have begun and some more, and ends itself at a point. */
const kills: readonly (readonly [Point, number])[] = [
  ["published", 20],
  ["committed", 25],
  ["sending", 2],
  ["sent", 1],
  ["removed", 3],
  ["sent", 2],
];
/** For each process: so many that it sends several times. */
const more = 200;

const program = await buildProgram(join(import.meta.dirname, "outbox-worker.ts"));
afterAll(program.remove);

interface Stage {
  /** A process that goes through what those before have begun, and some more. */
  readonly start: (stops: Stop | null) => ChildProcess;
  /** The identities that were committed and those that were sent, each in its order. */
  readonly told: () => Promise<{ readonly committed: readonly string[]; readonly sent: readonly string[] }>;
}

async function stage(context: TestContext, play: (stage: Stage) => Promise<void>): Promise<void> {
  if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
  const place = await postgresPlace();
  const { schema, admin } = place;
  await admin.query(`create table ${schema}.released (reference text primary key, place bigint not null)`);
  const queue = `reprise.test.${randomUUID()}`;
  const connection = await amqplib.connect(rabbitmqUrl);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  let references = 0;
  const started: ChildProcess[] = [];
  try {
    await play({
      start: (stops) => {
        references += more;
        const servers = { postgres: postgresUrl, rabbitmq: rabbitmqUrl };
        const settings: OutboxWorkerSettings = { ...servers, schema, queue, references, stops };
        const child = fork(program.path, [JSON.stringify(settings)]);
        started.push(child);
        return child;
      },
      told: async () => {
        const sent: string[] = [];
        for (;;) {
          const message = await channel.get(queue, { noAck: true });
          if (message === false) break;
          sent.push(String(message.properties.messageId));
        }
        const { rows } = await admin.query<{ readonly reference: string }>(
          `select reference from ${schema}.released order by place`,
        );
        const committed = rows.map(({ reference }) => reference);
        expect(committed).toHaveLength((references / 5) * 4);
        return { committed, sent };
      },
    });
  } finally {
    // one that a failed test left frozen
    for (const child of started) child.kill("SIGKILL");
    await channel.deleteQueue(queue);
    await connection.close();
    await place.drop();
  }
}

/** How often something is sent that is no newer than what was sent before it. */
function stepsBackIn(sent: readonly string[], committed: readonly string[]): number {
  const positions = sent.map((id) => committed.indexOf(id));
  return positions.filter((position, index) => position <= (positions[index - 1] ?? -1)).length;
}

test(
  "killed at each point from publishing to removing, processes lose no message, send none of what was rolled back, and keep the order of the commits",
  (context) =>
    stage(context, async ({ start, told }) => {
      for (const [at, call] of kills) {
        expect(await once(start({ at, call, by: "SIGKILL" }), "exit"), at).toEqual([null, "SIGKILL"]);
      }
      expect(await once(start(null), "exit")).toEqual([0, null]);
      const { committed, sent } = await told();
      // of each its first copy: what came again came behind it
      expect([...new Set(sent)]).toEqual(committed);
      // and came again in the same order, from the oldest that was not removed
      expect(stepsBackIn(sent, committed)).toBeLessThanOrEqual(kills.length);
      expect(sent.length).toBeGreaterThan(committed.length);
    }),
  120_000,
);

test.for(["sending", "sent"] as const)(
  "a process that freezes at %s, until another one has sent all, removes nothing that is still to be sent, and brings no first copy out of order",
  { timeout: 60_000 },
  (at, context) =>
    stage(context, async ({ start, told }) => {
      const frozen = start({ at, call: 2, by: "SIGSTOP" });
      const ended = once(frozen, "exit");
      await expect.poll(() => stateOf(frozen), { timeout: 30_000 }).toBe("T");
      expect(await once(start(null), "exit")).toEqual([0, null]);
      frozen.kill("SIGCONT");
      expect(await ended).toEqual([0, null]);
      const { committed, sent } = await told();
      expect([...new Set(sent)]).toEqual(committed);
      // what it had in hand came again
      expect(sent.length).toBeGreaterThan(committed.length);
      expect(stepsBackIn(sent, committed)).toBeLessThanOrEqual(2);
    }),
);

/** As the kernel tells it: `T` stands for stopped. */
function stateOf({ pid }: ChildProcess): string {
  const [, state = ""] = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  return state;
}
