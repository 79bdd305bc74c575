import { countOf, crashRun } from "../crash-run.ts";
import type { Figure } from "../figure.ts";
import { askPostgres } from "../operations/postgres-place.ts";
import { type Found, whereIs } from "../operations/standing.ts";
import { brokers } from "./brokers.ts";

/** What must hold of messages, whatever happens: by the crash runs of the tests, on each broker that is there. */

export type Promised = (broker: string, scale: { readonly quick: boolean }) => Promise<Found>;

const onBroker = (measure: (broker: string, quick: boolean) => Promise<readonly Figure[]>): Promised => {
  return (broker, { quick }) => {
    const ask = async () => {
      await askPostgres();
      await brokers[broker]?.ask();
    };
    return whereIs(`${broker}, or PostgreSQL,`, ask, () => measure(broker, quick));
  };
};

/** Killed at five points, six copies of each message in two processes; beside the usual check. */
const crash = onBroker(async (broker, quick) => {
  const options = ["--broker", broker, "--kills", quick ? "5" : "25"];
  const figures: Figure[] = [];
  for (const effects of ["database", "external"]) {
    const run = await crashRun("consume/run", [...options, "--effects", effects]);
    const name = `consume.crash.${broker}.${effects}`;
    figures.push(
      { name: `${name}.effects`, value: countOf(run, "most"), unit: "a message", better: "lower", goal: 1 },
      none(`${name}.lost`, countOf(run, "lost"), "messages"),
      { name: `${name}.kills`, value: countOf(run, "kills"), unit: "kills", better: "higher" },
    );
  }
  const naive = await crashRun("consume/run", [...options, "--naive"]);
  const name = `consume.crash.${broker}.byHand`;
  figures.push({ name: `${name}.effects`, value: countOf(naive, "most"), unit: "a message", better: "lower" });
  return figures;
});

/** A tenth of the messages fails at first. */
const order = onBroker(async (broker, quick) => {
  const scale = quick ? ["--messages", "1000", "--keys", "50"] : ["--messages", "10000", "--keys", "100"];
  const run = await crashRun("consume/order", ["--broker", broker, ...scale]);
  return [
    none(`consume.order.${broker}.inversions`, countOf(run, "inversions"), "messages"),
    { name: `consume.order.${broker}.messages`, value: countOf(run, "ran"), unit: "messages", better: "higher" },
  ];
});

/** SIGTERM with 64 messages at work. */
const drain = onBroker(async (broker) => {
  const run = await crashRun("consume/drain", ["--broker", broker]);
  return [
    none(`consume.drain.${broker}.redelivered`, countOf(run, "redelivered"), "messages"),
    none(`consume.drain.${broker}.lost`, countOf(run, "lost"), "messages"),
  ];
});

/** One message kills whoever runs it, and 32 are received at once. */
const poison = onBroker(async (broker) => {
  const run = await crashRun("consume/poison", ["--broker", broker, "--attempts", "3"]);
  return [
    none(`consume.poison.${broker}.innocents`, countOf(run, "innocentsSetAside"), "messages"),
    {
      name: `consume.poison.${broker}.attempts`,
      value: countOf(run, "poisonRuns"),
      unit: "of 3",
      better: "lower",
      goal: 3,
    },
  ];
});

export const promises: Readonly<Record<string, Promised>> = { crash, order, drain, poison };

function none(name: string, value: number, unit: string): Figure {
  return { name, value, unit, better: "lower", goal: 0 };
}
