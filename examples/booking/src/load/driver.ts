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
  readonly searchesPerSecond: number;
  readonly crawledPerSecond: number;
  readonly bookingsPerSecond: number;
  readonly seed: number;
}

/** Place 0 is the most popular workshop; the seed numbers them so. */
const drawWorkshop = createZipf(workshopCount, 1.1);
const pages = 4;
const drawPage = createZipf(pages, 1.5);

const typed = ["pottery", "negotiation", "data", "law", "speaking", "ada", "statistics", "wood", "typo", "practical"];
const drawWords = createZipf(typed.length, 1.3);
const letters = "abcdefghijklmnopqrstuvwxyz";
/** Every pair of letters: what a crawler asks a search for that has no list of what there is. */
const crawled = [...letters].flatMap((first) => [...letters].map((second) => first + second));

/** Of those whom a visitor tells of a booking at once. */
const friends = 4;

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
    const drawn = random();
    if (drawn < 0.15) return send(`/workshops?page=${1 + drawPage(random)}`);
    // a link that was mistyped, or a number that is tried
    if (drawn < 0.18) return send(`/workshops/w-${900 + Math.floor(random() * 20)}`);
    return send(`/workshops/${workshop()}`);
  });

  arrivals(settings.searchesPerSecond, () => send(`/search?words=${typed[drawWords(random)] ?? ""}`));

  let next = 0;
  arrivals(settings.crawledPerSecond, () => {
    next += 1;
    return send(`/search?words=${crawled[next % crawled.length] ?? ""}`);
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
      for (let friend = 0; friend < friends; friend += 1) run(() => send(`/workshops/${body.workshop}/availability`));
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
