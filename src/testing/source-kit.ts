import type { Delivery, Receiver } from "../contract/source.ts";

/** A broker on a busy machine answers within it. */
const patienceMs = 30_000;

export async function pull(receiver: Receiver, count: number, most = count): Promise<readonly Delivery[]> {
  const signal = AbortSignal.timeout(patienceMs);
  const all: Delivery[] = [];
  while (all.length < count) {
    const more = await receiver.pull(most - all.length, signal);
    if (more.length === 0) throw new Error(`of ${count} messages ${all.length} came`);
    all.push(...more);
  }
  return all;
}

/** Nothing comes for so long. */
export async function isQuiet(receiver: Receiver, ms = 300): Promise<boolean> {
  return (await receiver.pull(1, AbortSignal.timeout(Math.ceil(ms)))).length === 0;
}

export function bodies(deliveries: readonly Delivery[]): readonly unknown[] {
  return deliveries.map((delivery) => delivery.read());
}

export async function acknowledge(deliveries: readonly Delivery[]): Promise<void> {
  for (const delivery of deliveries) await delivery.settle({ is: "acknowledge" });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
