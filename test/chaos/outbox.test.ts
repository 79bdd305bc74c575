import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import amqplib from "amqplib";
import { build } from "tsdown";
import { expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresPlace, postgresUrl, postgresVersion } from "../support/postgres.ts";
import { rabbitmqUrl, rabbitmqVersion } from "../support/rabbitmq.ts";
import type { KillPoint, OutboxWorkerSettings } from "./outbox-worker.ts";

const missing =
  (await postgresVersion()) === undefined
    ? "no PostgreSQL answers"
    : (await rabbitmqVersion()) === undefined
      ? "no RabbitMQ answers"
      : undefined;

/** Each process goes through what those before have begun and some more, and ends itself at a point. */
const kills: readonly (readonly [KillPoint, number])[] = [
  ["published", 20],
  ["committed", 25],
  ["sending", 2],
  ["sent", 1],
  ["removed", 3],
  ["sent", 2],
];
/** For each process: so many that it sends several times. */
const more = 200;

test("killed at each point from publishing to removing, processes lose no message, send none of what was rolled back, and keep the order of the commits", async (context) => {
  if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
  const place = await postgresPlace();
  const { schema, admin } = place;
  await admin.query(`create table ${schema}.released (reference text primary key, place bigint not null)`);
  const queue = `reprise.test.${randomUUID()}`;
  const connection = await amqplib.connect(rabbitmqUrl);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
  // inside the project, so that the worker finds the drivers
  const cache = join(import.meta.dirname, "../../node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const built = mkdtempSync(join(cache, "reprise-outbox-"));
  try {
    await build({
      entry: { worker: join(import.meta.dirname, "outbox-worker.ts") },
      config: false,
      outDir: built,
      format: "esm",
      platform: "node",
      dts: false,
      logLevel: "error",
    });
    let references = 0;
    const run = async (killAt: KillPoint | null, killAtCall: number) => {
      references += more;
      const settings: OutboxWorkerSettings = {
        ...{ postgres: postgresUrl, rabbitmq: rabbitmqUrl },
        ...{ schema, queue, references, killAt, killAtCall },
      };
      return once(fork(join(built, "worker.mjs"), [JSON.stringify(settings)]), "exit");
    };
    for (const [point, call] of kills) expect(await run(point, call), point).toEqual([null, "SIGKILL"]);
    expect(await run(null, 0)).toEqual([0, null]);

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
    // of each its first copy: what came again came behind it
    expect([...new Set(sent)]).toEqual(committed);
    // and came again in the same order, from the oldest that was not removed
    const positions = sent.map((id) => committed.indexOf(id));
    const stepsBack = positions.filter((position, index) => position <= (positions[index - 1] ?? -1)).length;
    expect(stepsBack).toBeLessThanOrEqual(kills.length);
    expect(sent.length).toBeGreaterThan(committed.length);
  } finally {
    rmSync(built, { recursive: true, force: true });
    await channel.deleteQueue(queue);
    await connection.close();
    await place.drop();
  }
}, 120_000);
