import { createHash, randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { createReprise, unchecked } from "reprise";
import { redisLedger } from "reprise/redis";
import type { Figure } from "../figure.ts";
import { type Booking, confirm, nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import type { Way } from "./postgres-ways.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { type Part, rate, ratio, standing, traffic, whereIs } from "./standing.ts";
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
    ratio(`${name}.record.ofSetNx`, results.ofRate("record", "setNx")),
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
  const record = await recordOn(client);
  const ours: Way = (booking) => book.run(booking);
  const close = async () => {
    await reprise.close();
    client.disconnect();
  };
  return { of: { bare, setNx, record, reprise: ours }, close };
}

/** The limit: a claim that is fenced and listed, and its end, in two scripts, by the client alone. */
async function recordOn(client: Redis): Promise<Way> {
  const load = async (script: string) => String(await client.script("LOAD", script));
  const claim = await load(`local time = redis.call('TIME')
    local packed = cmsgpack.pack({ARGV[1], 'r', time[1], ARGV[2], ARGV[3]})
    if not redis.call('SET', KEYS[1], packed, 'NX') then return nil end
    return redis.call('RPUSH', KEYS[2], KEYS[1])`);
  const end = await load(`local packed = redis.call('GET', KEYS[1])
    local work = packed and cmsgpack.unpack(packed)
    if not work or work[1] ~= ARGV[1] then return nil end
    work[2], work[6] = 'd', ARGV[2]
    redis.call('SET', KEYS[1], cmsgpack.pack(work), 'PX', ARGV[3])
    return 1`);
  return async (booking) => {
    const name = `record:${createHash("sha256").update(booking.reference).digest("hex")}`;
    const attempt = randomUUID();
    const claimed = await client.evalsha(claim, 2, name, "record", attempt, booking.reference, "seat.book");
    if (claimed === null) throw new Error("this name was there before");
    const confirmation = confirm(booking);
    const ended = await client.evalsha(end, 1, name, attempt, JSON.stringify(confirmation), dayMs);
    if (ended === null) throw new Error("another attempt has it");
    return confirmation;
  };
}
