import amqplib from "amqplib";
import pg from "pg";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Publisher } from "../../src/contract/publisher.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { rabbitmqPublisher } from "../../src/sources/rabbitmq/index.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";

/** The process of outbox.test.ts: does work that publishes, sends what was published, and kills or freezes itself at a chosen point. */
export interface OutboxWorkerSettings {
  readonly postgres: string;
  readonly rabbitmq: string;
  readonly schema: string;
  readonly queue: string;
  readonly references: number;
  readonly stops: Stop | null;
}
export interface Stop {
  readonly at: Point;
  /** At how manieth passing of the point. */
  readonly call: number;
  readonly by: "SIGKILL" | "SIGSTOP";
}
/** `published`: its transaction is open; `committed`: nothing of it may be sent; `sent`: none of it is removed. */
export type Point = "published" | "committed" | "sending" | "sent" | "removed";

const settings = JSON.parse(process.argv[2] ?? "") as OutboxWorkerSettings;
const { schema, stops } = settings;
let passed = 0;
let haveWorked = () => {};
const worked = new Promise<void>((resolve) => {
  haveWorked = resolve;
});
const at = (point: Point) => {
  if (point !== stops?.at) return;
  passed += 1;
  if (passed === stops.call) process.kill(process.pid, stops.by);
};

const pool = new pg.Pool({ connectionString: settings.postgres, max: 10 });
const own = postgresLedger({ pool, schema });
const { registers } = own;
if (registers === undefined) throw new Error("it keeps registers");
const ledger: Ledger<PostgresTransaction> = {
  ...own,
  registers: {
    ...registers,
    removeThrough: async (prefix, name) => {
      await registers.removeThrough?.(prefix, name);
      at("removed");
    },
  },
};
const broker = rabbitmqPublisher({ connect: () => amqplib.connect(settings.rabbitmq), queue: settings.queue });
const to: Publisher = {
  name: broker.name,
  open: async () => {
    const sender = await broker.open();
    return {
      close: sender.close,
      send: async (messages) => {
        // frozen in a transaction, it would keep the outbox locked
        if (stops?.by === "SIGSTOP") await worked;
        at("sending");
        await sender.send(messages);
        at("sent");
      },
    };
  },
};

const reprise = createReprise({ service: "chaos", undecided: "listed", ledger });
const released = reprise.outbox({
  name: "seat.released",
  message: unchecked<{ readonly reference: string }>(),
  id: ({ reference }) => reference,
  to,
  lease: "1s",
});
const release = reprise.operation({
  name: "seat.release",
  input: unchecked<{ readonly reference: string; readonly fails: boolean }>(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: "everyone",
  identity: ({ reference }) => [reference],
  retention: "1d",
  effects: "database",
  run: async ({ input: { reference, fails }, tx }) => {
    await released.publishIn(tx, { reference });
    at("published");
    // the counter is locked until the commit: its value is the place in the order of commits
    await tx.query(
      `insert into ${schema}.released (reference, place) select $1, value::bigint from ${schema}.reprise_register
       where name like 'appended/outbox/%'`,
      [reference],
    );
    if (fails) throw new Error("rolled back");
  },
});

await reprise.start();
const left = Array.from({ length: settings.references }, (_, index) => index);
const work = async () => {
  for (let index = left.shift(); index !== undefined; index = left.shift()) {
    const fails = index % 5 === 4;
    try {
      await release.run({ reference: `r-${index}`, fails });
      at("committed");
    } catch (error) {
      if (!fails) throw error;
    }
  }
};
await Promise.all(Array.from({ length: 6 }, work));
haveWorked();
while ((await released.standing()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
await reprise.close();
await pool.end();
