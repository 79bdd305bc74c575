import { defaults } from "../base/defaults.ts";
import { rest } from "../base/promise.ts";
import { type Taken, takeLease } from "../lease/take.ts";
import type { OutboxStores } from "./host.ts";

/** Takes the lease of an outbox, and waits for whoever has it unless it is not to. `null`: it has not got it. */
export async function takeTurn(
  stores: OutboxStores,
  signal: AbortSignal,
  { waits = true }: { readonly waits?: boolean } = {},
): Promise<Taken | null> {
  const { clock, leases, settings, instance: holder, closing } = stores;
  const { leaseMs, names, name } = settings;
  const { takeOverMs } = defaults.outbox;
  while (!signal.aborted) {
    const asked = { clock, leases, name: names.lease, holder, operation: `outbox ${name}`, leaseMs, closing };
    const taken = await takeLease(asked);
    if (taken.is === "acquired") return taken;
    if (!waits) return null;
    await rest(clock, Math.min(taken.forMs ?? takeOverMs, takeOverMs), signal);
  }
  return null;
}
