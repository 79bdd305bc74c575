import { join } from "node:path";
import { workshopIds } from "../../database/schema.ts";
import { startGateway } from "../../gateway/process.ts";
import { type Progress, within } from "../scratch.ts";
import { type Client, createClient, type Order, type Told } from "./client.ts";
import { type Counted, countOrders } from "./count.ts";
import { createPlatformHost } from "./host.ts";
import { points } from "./points.ts";

export type SideName = "without" | "with";

export interface SideSettings {
  readonly side: SideName;
  readonly directory: string;
  readonly kills: number;
  /** Of each way to overlap without a crash. */
  readonly overlaps: number;
  readonly progress: Progress;
}

export interface OrderResult extends Counted {
  /** The point of its kill, or how it overlapped. */
  readonly what: string;
  readonly killed: boolean;
  readonly told: Told;
}

/** What the gateway takes for a charge: long enough to be killed in, and to overlap with. */
const gatewayMs = 60;
export const leaseMs = 1_000;

/** What a client may do, without any crash, that makes one order come twice. */
const overlaps: readonly {
  readonly what: string;
  readonly run: (client: Client, order: Order, loseAnswer: () => Promise<void>) => Promise<Told>;
}[] = [
  {
    what: "Two requests at once",
    run: async (client, order) => first(await Promise.all([client.book(order), client.book(order)])),
  },
  {
    what: "A retry during the first",
    run: async (client, order) => {
      const one = client.book(order);
      await new Promise((resolve) => setTimeout(resolve, gatewayMs / 2));
      return first([await client.book(order), await one]);
    },
  },
  {
    what: "The gateway's answer is lost",
    run: async (client, order, loseAnswer) => {
      await loseAnswer();
      return client.book(order);
    },
  },
  {
    what: "The answer to the client is lost",
    run: async (client, order) => {
      await client.hangUp(order, gatewayMs / 2);
      return client.book(order);
    },
  },
];
export const overlapNames: readonly string[] = overlaps.map(({ what }) => what);

/** One side: every order through the gateway, the platform's own process, real kills; then both databases are read. */
export async function runSide(settings: SideSettings): Promise<readonly OrderResult[]> {
  const { side, directory, kills, progress } = settings;
  const files = { gateway: join(directory, `${side}-gateway.db`), platform: join(directory, `${side}-platform.db`) };
  const gateway = await startGateway({ path: files.gateway, workMs: gatewayMs });
  const host = createPlatformHost({ path: files.platform, gateway: gateway.address, lease: `${leaseMs}ms` });
  const client = createClient(host.address, side === "with" ? "/bookings" : "/plain-bookings");
  const orders: { readonly reference: string; readonly what: string; readonly killed: boolean; readonly told: Told }[] =
    [];
  const total = kills + settings.overlaps * overlaps.length;
  const orderOf = (reference: string): Order => ({
    reference,
    workshop: workshopIds[orders.length % workshopIds.length] ?? "w-001",
  });
  try {
    await host.start();
    for (let kill = 0; kill < kills; kill += 1) {
      const point = points[kill % points.length] ?? "claim: before it";
      const order = orderOf(`${side}-kill-${kill + 1}`);
      await host.arm(point);
      const booking = client.book(order);
      const signal = await within(host.died(), 20_000, `The platform did not come to '${point}'.`);
      if (signal !== "SIGKILL") throw new Error(`The platform ended by ${signal ?? "itself"}, not by SIGKILL.`);
      await host.start();
      const told = await booking;
      orders.push({ reference: order.reference, what: point, killed: true, told });
      progress(`${side}: kill ${kill + 1} of ${kills}, ${point}: told ${told.told}`, orders.length / total);
    }
    for (const { what, run } of overlaps) {
      for (let time = 0; time < settings.overlaps; time += 1) {
        const order = orderOf(`${side}-${what.toLowerCase().replaceAll(/\W+/g, "-")}-${time + 1}`);
        const told = await run(client, order, () => loseNextAnswer(gateway.address));
        orders.push({ reference: order.reference, what, killed: false, told });
        progress(`${side}: ${what}: told ${told.told}`, orders.length / total);
      }
    }
  } finally {
    await host.stop();
    await gateway.stop();
  }
  const counted = countOrders(orders, files);
  return orders.map((order, at) => ({ ...order, ...(counted[at] ?? { charges: 0, bookings: 0, lost: 0 }) }));
}

/** Two askers of one order: what is told first counts, unless the other was told less. */
function first(all: readonly Told[]): Told {
  return all.find(({ told }) => told !== "booked") ?? all[0] ?? { told: "nothing", replayed: false, attempts: 0 };
}

async function loseNextAnswer(gateway: string): Promise<void> {
  await fetch(`${gateway}/faults`, { method: "POST", body: JSON.stringify({ loseAnswers: 1 }) });
}
