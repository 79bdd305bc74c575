import { Pool } from "undici";
import { type Child, openChild } from "../child-process.ts";
import type { Figure } from "../figure.ts";
import { type Booking, nextBooking } from "./booking.ts";
import { type Contestant, contest, type Results } from "./contest.ts";
import { rivalNames } from "./http-rivals.ts";
import type { Framework, ServerState, Subject } from "./http-server.ts";
import { askPostgres, openPostgresPlace } from "./postgres-place.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { type Part, rate, ratio, standing, whereIs } from "./standing.ts";

/** Over HTTP, from this process to a server in another, which is one of the contestants. */

const connections = 16;

/** On PostgreSQL, where all of them do the same insert. */
export const httpFastify: Part = (rounds) => whereIs("PostgreSQL", askPostgres, () => onPostgres("fastify", rounds));
export const httpExpress: Part = (rounds) => whereIs("PostgreSQL", askPostgres, () => onPostgres("express", rounds));

const goals = {
  fastify: { freshOfBare: 0.6 },
  express: { freshOfBare: 0.7 },
} as const;

async function onPostgres(framework: Framework, rounds: number): Promise<readonly Figure[]> {
  const name = `http.${framework}`;
  const place = await openPostgresPlace();
  const servers: Server[] = [];
  const open = async (subject: Subject) => {
    const server = await openServer("http", [framework, subject, place.schema]);
    servers.push(server);
    return server;
  };
  try {
    const [bare, handWritten, reprise] = [await open("bare"), await open("handWritten"), await open("reprise")];
    const known = Array.from({ length: 256 }, nextBooking);
    for (const booking of known) await Promise.all([reprise.book(booking), handWritten.book(booking)]);
    const results = await contest(
      [
        { name: "bare", spent: bare.spent, once: () => bare.book(nextBooking()) },
        { name: "handWritten", spent: handWritten.spent, once: () => handWritten.book(nextBooking()) },
        { name: "fresh", spent: reprise.spent, once: () => reprise.book(nextBooking()) },
        { name: "replay", spent: reprise.spent, once: inTurn(known, (booking) => reprise.book(booking, "replayed")) },
        { name: "handReplay", spent: handWritten.spent, once: inTurn(known, (booking) => handWritten.book(booking)) },
      ],
      { clients: connections, rounds, sliceMs: 500 },
    );
    return [
      ...standing(results, `${name}.fresh`, { of: ["fresh", "handWritten"], goal: 1.1 }),
      ...standing(results, `${name}.fresh`, { of: ["fresh", "bare"], goal: goals[framework].freshOfBare }),
      ...standing(results, `${name}.replay`, {
        of: ["replay", "bare"],
        ...(framework === "fastify" ? { goal: 1.1 } : {}),
      }),
      ratio(`${name}.handWritten.fresh.ofBare`, results.ofRate("handWritten", "bare")),
      ratio(`${name}.handWritten.replay.ofBare`, results.ofRate("handReplay", "bare")),
      rate(`${name}.bare`, results.perSecond("bare")),
      rate(`${name}.fresh`, results.perSecond("fresh")),
      rate(`${name}.replay`, results.perSecond("replay")),
    ];
  } finally {
    for (const server of servers) await server.end();
    await place.drop();
  }
}

/** Beside the libraries that somebody would use instead, with records in the process's memory. */
export const httpMemory: Part = async (rounds) => ({ figures: await besideRivals("memory", "memory", rounds) });

/** The same with records on one Redis. */
export const httpRedis: Part = (rounds) => {
  let server: RedisServer | undefined;
  const connect = async () => {
    server = await startRedis();
  };
  return whereIs("redis-server", connect, async () => {
    try {
      return await besideRivals("redis", `${server?.port}`, rounds);
    } finally {
      await server?.stop();
    }
  });
};

async function besideRivals(kind: string, store: string, rounds: number): Promise<readonly Figure[]> {
  const name = `http.express.${kind}.fresh`;
  const servers: Server[] = [];
  const contestants: Contestant[] = [];
  try {
    for (const subject of ["bare", "reprise", ...rivalNames]) {
      const server = await openServer("rival", [subject, store]);
      servers.push(server);
      contestants.push({ name: subject, spent: server.spent, once: () => server.book(nextBooking()) });
    }
    const results = await contest(contestants, { clients: connections, rounds, sliceMs: 500 });
    return [
      ratio(`${name}.ofBest`, results.ofRate("reprise", bestOf(rivalNames, results)), 1),
      ...rivalNames.flatMap((rival) => standing(results, name, { of: ["reprise", rival] })),
      ...standing(results, name, { of: ["reprise", "bare"] }),
      rate(name, results.perSecond("reprise")),
      ...rivalNames.map((rival) => rate(`${name}.${rival}`, results.perSecond(rival))),
      rate(`${name}.bare`, results.perSecond("bare")),
    ];
  } finally {
    for (const server of servers) await server.end();
  }
}

function bestOf(names: readonly string[], results: Results): string {
  return names.reduce((best, name) => (results.perSecond(name) > results.perSecond(best) ? name : best));
}

interface Server {
  readonly spent: () => Promise<number>;
  /** Rejects unless it is told 201, and, where it matters, that this was done before. */
  readonly book: (booking: Booking, expected?: "replayed") => Promise<void>;
  readonly end: () => Promise<void>;
}

async function openServer(task: string, input: readonly string[]): Promise<Server> {
  const child: Child = await openChild(task, input);
  const ask = async () => (await child.ask({})) as ServerState;
  const { port } = await ask();
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1, keepAliveTimeout: 110_000 });
  return {
    spent: async () => (await ask()).spent,
    book: async (booking, expected) => {
      const { statusCode, headers, body } = await pool.request({
        method: "POST",
        path: "/bookings",
        headers: { "content-type": "application/json", "idempotency-key": `key-${booking.reference}` },
        body: JSON.stringify(booking),
      });
      const text = await body.text();
      const isReplayed = headers["idempotency-replayed"] === "true";
      if (statusCode !== 201 || (expected === "replayed" && !isReplayed)) {
        throw new Error(`${input.join(" ")} answered ${statusCode}: ${text}`);
      }
    },
    end: async () => {
      await pool.destroy();
      await child.end();
    },
  };
}

function inTurn(bookings: readonly Booking[], work: (booking: Booking) => Promise<void>): () => Promise<void> {
  let turn = 0;
  return async () => {
    const booking = bookings[turn++ % bookings.length];
    if (booking !== undefined) await work(booking);
  };
}
