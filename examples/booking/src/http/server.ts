import Fastify, { type FastifyInstance } from "fastify";
import type { Reader } from "reprise";
import { fastifyHandler, fastifyStatus } from "reprise/fastify";
import type { DatabasePool } from "../database/pool.ts";
import { type Availability, findBooking, readSessions } from "../database/queries.ts";
import type { BookSeat, CancelBooking } from "../inputs.ts";
import type { Prices } from "../prices/client.ts";
import type { Booking } from "../reprise.ts";
import { tellJobs } from "./jobs.ts";
import { createSessions } from "./sessions.ts";
import { createViewCounter } from "./views.ts";

export interface ServerSettings {
  readonly database: DatabasePool;
  readonly booking: Booking;
  readonly prices: Prices;
  readonly availability: Reader<{ readonly workshop: string }, Availability | undefined>;
  /** A request for availability that has no answer by then is answered 503. */
  readonly requestMs: number;
}

/** The platform's routes; the page is mounted beside them where there is one. */
export async function createServer(settings: ServerSettings): Promise<FastifyInstance> {
  const { database, availability, requestMs } = settings;
  const { reprise, workshops, search, views, bookSeat, cancelBooking, issueRefund, writeStatement, requestSeat } =
    settings.booking;
  const sessions = createSessions(await readSessions(database));
  const app = Fastify({ logger: { level: "error", stream: process.stderr }, forceCloseConnections: "idle" });

  // a loader that reads either of them without having it in its scope fails: its value would be shared with others
  app.addHook("onRequest", (request, _, done) => {
    reprise.context.run({ user: sessions.find(request), locale: localeOf(request.headers["accept-language"]) }, done);
  });

  app.get("/healthz", async () => ({ status: "ok" }));

  app.get("/jobs", () => tellJobs(settings));

  app.get<{ Querystring: { page?: string } }>("/workshops", async (request) => {
    // any other page is one more key in the cache: only those that can exist are asked for
    const page = Math.min(100, Math.max(1, Math.floor(Number(request.query.page ?? 1)) || 1));
    const list = await workshops.get({ page });
    const seats = await availability.getMany(list.map(({ id }) => ({ workshop: id })));
    return list.map((workshop, place) => ({ ...workshop, left: seats[place]?.left ?? 0 }));
  });

  app.get<{ Querystring: { words?: string } }>("/search", async (request) => {
    // what people mean to type is short, and one key however they write it
    const words = String(request.query.words ?? "")
      .trim()
      .toLowerCase()
      .slice(0, 40);
    return words === "" ? [] : search.get({ words });
  });

  const countView = createViewCounter(views);
  app.get<{ Params: { id: string } }>("/workshops/:id", async (request, reply) => {
    const workshop = request.params.id;
    const found = await availability.get({ workshop }, { signal: AbortSignal.timeout(Math.round(requestMs)) });
    if (found === undefined) return reply.code(404).send(notFound("workshop"));
    return { ...found, views: await countView(workshop) };
  });

  app.get<{ Params: { id: string } }>("/workshops/:id/availability", async (request, reply) => {
    const found = await availability.get(
      { workshop: request.params.id },
      { signal: AbortSignal.timeout(Math.round(requestMs)) },
    );
    return found ?? reply.code(404).send(notFound("workshop"));
  });

  app.get<{ Params: { reference: string } }>(
    "/bookings/:reference",
    { preHandler: sessions.required },
    async (request, reply) => {
      // somebody else's booking is told as one that is not there
      const found = await findBooking(database, sessions.userOf(request), request.params.reference);
      return found ?? reply.code(404).send(notFound("booking"));
    },
  );

  app.post<{ Body: Partial<BookSeat> | null }>(
    "/bookings",
    { preHandler: sessions.required },
    fastifyHandler(bookSeat, {
      principal: (request) => sessions.userOf(request),
      input: (request) => bookingIn(request.body, sessions.userOf(request)),
      reply: (booked) => ({ status: 201, headers: { location: `/bookings/${booked.reference}` }, body: booked }),
    }),
  );

  // a seat that is asked for without waiting: a message does the same under the same identity
  app.post<{ Body: Partial<BookSeat> | null }>(
    "/booking-requests",
    { preHandler: sessions.required },
    fastifyHandler(requestSeat, {
      principal: (request) => sessions.userOf(request),
      input: (request) => bookingIn(request.body, sessions.userOf(request)),
      reply: (requested) => ({
        status: 202,
        headers: { location: `/bookings/${requested.reference}` },
        body: requested,
      }),
    }),
  );

  // the workshop is the booking's own; and what is not there, or not yet, leaves no outcome that would be replayed later
  const toCancel = new WeakMap<object, CancelBooking>();
  app.post<{ Params: { reference: string } }>(
    "/bookings/:reference/cancellation",
    {
      preHandler: [
        sessions.required,
        async (request, reply) => {
          const { reference } = request.params;
          const user = sessions.userOf(request);
          const found = await findBooking(database, user, reference);
          if (found === null) return reply.code(404).send(notFound("booking"));
          toCancel.set(request, { user, reference, workshop: found.workshop });
          return undefined;
        },
      ],
    },
    fastifyHandler(cancelBooking, {
      principal: (request) => sessions.userOf(request),
      input: (request) => {
        const found = toCancel.get(request);
        if (found === undefined) throw new Error("a cancellation was asked for before its booking was found");
        return found;
      },
    }),
  );

  app.post<{ Params: { reference: string }; Body: { reason?: string } | null }>(
    "/bookings/:reference/refund",
    {
      preHandler: [
        sessions.required,
        async (request, reply) => {
          const found = await findBooking(database, sessions.userOf(request), request.params.reference);
          return found === null ? reply.code(404).send(notFound("booking")) : undefined;
        },
      ],
    },
    fastifyHandler(issueRefund, {
      principal: (request) => sessions.userOf(request),
      input: (request) => ({
        user: sessions.userOf(request),
        reference: request.params.reference,
        reason: String(bodyOf(request.body)["reason"] ?? "none"),
      }),
      reply: (refunded) => ({ status: 201, body: refunded }),
    }),
  );

  app.post<{ Body: { reference?: string } | null }>(
    "/statements",
    { preHandler: sessions.required },
    fastifyHandler(writeStatement, {
      principal: (request) => sessions.userOf(request),
      input: (request) => ({
        user: sessions.userOf(request),
        reference: String(bodyOf(request.body)["reference"] ?? ""),
      }),
      status: (id) => `/statements/${id}`,
    }),
  );
  app.route<{ Params: { id: string } }>({
    method: ["GET", "DELETE"],
    url: "/statements/:id",
    preHandler: sessions.required,
    handler: fastifyStatus(writeStatement, {
      id: (request) => request.params.id,
      principal: (request) => sessions.userOf(request),
    }),
  });

  app.setErrorHandler(
    (error: { readonly name?: string; readonly statusCode?: number; readonly status?: number }, _, reply) => {
      const status = error.name === "TimeoutError" ? 503 : (error.statusCode ?? error.status ?? 500);
      // what went wrong inside is for the log, not for a visitor
      if (status === 500) console.error(error);
      return reply
        .code(status)
        .type("application/problem+json")
        .send({ type: "about:blank", title: status === 503 ? "Service Unavailable" : "Error", status });
    },
  );

  return app;
}

/** Of a body that names somebody else the booking is refused, because the session's user is the principal. */
function bookingIn(body: unknown, user: string): BookSeat {
  const asked = bodyOf(body);
  return {
    ...(asked as BookSeat),
    user: String(asked["user"] ?? user),
    card: String(asked["card"] ?? "card-of-the-session"),
  };
}

/** The language asked for first: `de-CH,de;q=0.9` is `de`. */
function localeOf(header: string | undefined): string {
  return /^[a-z]{2,3}/i.exec(header ?? "")?.[0].toLowerCase() ?? "en";
}

function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

function notFound(what: string) {
  return { type: "about:blank", title: "Not Found", status: 404, detail: `There is no such ${what}.` };
}
