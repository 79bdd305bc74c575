import { randomUUID } from "node:crypto";
import { people, tokenOf, workshopCount, workshopIds } from "../database/schema.ts";
import { createRandom, createZipf, pauseBetweenArrivals } from "../random.ts";

/**
 * Visitors who come whether or not earlier ones have been served (an open process), read what is popular, sometimes book,
 * sometimes retry because no answer seemed to come, and sometimes cancel.
 */
export interface LoadDriver {
  readonly stop: () => Promise<void>;
}

export interface LoadSettings {
  readonly address: string;
  readonly readsPerSecond: number;
  readonly bookingsPerSecond: number;
  readonly seed: number;
}

/** Place 0 is the most popular workshop; the seed numbers them so. */
const drawWorkshop = createZipf(workshopCount, 1.1);

export function startLoad(settings: LoadSettings): LoadDriver {
  const random = createRandom(settings.seed);
  const underWay = new Set<Promise<unknown>>();
  const timers = new Set<NodeJS.Timeout>();
  const ending = new AbortController();
  const workshop = () => workshopIds[drawWorkshop(random)] ?? "w-001";
  const visitor = () => people[2 + Math.floor(random() * (people.length - 2))] ?? "visitor-1";

  const run = (work: () => Promise<unknown>) => {
    // what visitors see is on the page; a failed request of theirs is nobody's error here
    const promise = work().catch(() => undefined);
    underWay.add(promise);
    void promise.finally(() => underWay.delete(promise));
  };
  const later = (seconds: number, work: () => void) => {
    if (ending.signal.aborted) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, seconds * 1_000);
    timers.add(timer);
  };
  const arrivals = (perSecond: number, work: () => Promise<unknown>) => {
    if (perSecond <= 0) return;
    const next = () =>
      later(pauseBetweenArrivals(random, perSecond), () => {
        run(work);
        next();
      });
    next();
  };
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(settings.address + path, { ...init, signal: ending.signal });
    await response.arrayBuffer();
    return response.status;
  };
  const post = (path: string, user: string, key: string, body: object) =>
    send(path, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${tokenOf(user)}`, "idempotency-key": key },
      body: JSON.stringify(body),
    });

  arrivals(settings.readsPerSecond, async () => {
    if (random() < 0.15) return send("/workshops");
    return send(`/workshops/${workshop()}/availability`);
  });

  arrivals(settings.bookingsPerSecond, async () => {
    const user = visitor();
    const key = randomUUID();
    const body = {
      reference: `r-${key.slice(0, 13)}`,
      workshop: workshop(),
      card: random() < 0.05 ? "card-declined" : "card-of-the-visitor",
    };
    const attempt = () => post("/bookings", user, key, body);
    const answer = attempt();
    // impatient: the same click twice; or later, because the answer was lost on a train
    if (random() < 0.15) await attempt();
    const status = await answer;
    if (random() < 0.2) later(2 + random() * 6, () => run(attempt));
    // all of them, or the platform would be sold out after some hours
    if (status === 201) {
      later(20 + random() * 40, () =>
        run(() => post(`/bookings/${body.reference}/cancellation`, user, randomUUID(), {})),
      );
    }
  });

  return {
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      ending.abort();
      await Promise.all(underWay);
    },
  };
}
