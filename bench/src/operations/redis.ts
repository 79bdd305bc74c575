import { Redis } from "ioredis";
import { createReprise, unchecked } from "reprise";
import { redisLedger } from "reprise/redis";
import type { Figure } from "../figure.ts";
import { type Booking, confirm, nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import type { Way } from "./postgres-ways.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { type Part, rate, standing, traffic, whereIs } from "./standing.ts";
import { countingProxy } from "./wire.ts";

/** Claim and outcome on Redis, one name, beside `SET NX` and `SET`, which nothing fences and nothing tells apart. */
export const redis: Part = (rounds) => {
  let server: RedisServer | undefined;
  const connect = async () => {
    server = await startRedis();
  };
  return whereIs("redis-server", connect, async () => {
    try {
      return server === undefined ? [] : await measure(server, rounds);
    } finally {
      await server?.stop();
    }
  });
};

const name = "redis";
const clients = 16;
const dayMs = 86_400_000;

async function measure({ port }: RedisServer, rounds: number): Promise<readonly Figure[]> {
  const ways = await waysOf(port);
  const contestants = Object.entries(ways.of).map(([way, book]) => ({ name: way, once: () => book(nextBooking()) }));
  const results = await contest(contestants, { clients, rounds, sliceMs: 300 });
  await ways.close();
  const proxy = await countingProxy("redis", { host: "127.0.0.1", port });
  const counted = await waysOf(proxy.port);
  const figures = [
    ...standing(results, name, { of: ["reprise", "setNx"], goal: 0.75 }),
    ...standing(results, name, { of: ["reprise", "bare"] }),
    rate(name, results.perSecond("reprise")),
    rate(`${name}.setNx`, results.perSecond("setNx")),
    rate(`${name}.bare`, results.perSecond("bare")),
    ...traffic(name, await proxy.trafficOf(() => counted.of.reprise(nextBooking()))),
    ...traffic(`${name}.setNx`, await proxy.trafficOf(() => counted.of.setNx(nextBooking()))),
    ...traffic(`${name}.bare`, await proxy.trafficOf(() => counted.of.bare(nextBooking()))),
  ];
  await counted.close();
  await proxy.close();
  return figures;
}

async function waysOf(port: number) {
  const client = new Redis({ port, host: "127.0.0.1" });
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger: redisLedger({ client }) });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<Booking>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "external",
    run: async ({ input }) => confirm(input),
  });
  await reprise.start();
  const keep = async (booking: Booking) => {
    const confirmation = confirm(booking);
    await client.set(`kept:${booking.reference}`, JSON.stringify(confirmation), "PX", dayMs);
    return confirmation;
  };
  const setNx: Way = async (booking) => {
    const claimed = await client.set(`kept:${booking.reference}`, "running", "PX", dayMs, "NX");
    if (claimed !== "OK") throw new Error("this key was there before");
    return keep(booking);
  };
  const bare: Way = keep;
  const ours: Way = (booking) => book.run(booking);
  const close = async () => {
    await reprise.close();
    client.disconnect();
  };
  return { of: { bare, setNx, reprise: ours }, close };
}
